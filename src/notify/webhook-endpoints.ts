import { z } from 'zod';
import { UserFacingError } from '../domain/errors.ts';
import { newUuid } from '../domain/ids.ts';
import { parseInput } from '../domain/parse-input.ts';
import { WEBHOOK_ENDPOINTS_MAX, WEBHOOK_EVENT_TYPES } from '../domain/webhook.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import { checkOutboundUrl, UnsafeUrlError, type OutboundPolicy } from '../lib/outbound-url.ts';
import type { Database } from '../repositories/db.ts';
import {
  ENDPOINT_SECRETS,
  insertEndpoint,
  lockEndpointSecret,
  replaceEndpointSecret,
  updateEndpoint,
} from '../repositories/webhook-endpoints.ts';
import type { SecretCipher } from '../secrets/index.ts';
import { newWebhookSecret } from './webhook-message.ts';

/** What it takes to manage an organization's endpoints. */
export interface WebhookDeps {
  readonly db: Database;
  readonly cipher: SecretCipher;
  readonly outbound: OutboundPolicy;
  /** With the system's own kinds */
  readonly catalogue: JobCatalogue;
}

const endpointInput = z.object({
  url: z.string(),
  description: z.string().trim().max(500, 'Expected at most 500 characters.'),
  eventTypes: z
    .array(z.enum(WEBHOOK_EVENT_TYPES))
    .min(1, 'Expected at least one type of event.')
    .transform((types) => [...new Set(types)]),
});
const endpointChange = endpointInput.partial();
export type EndpointInput = z.input<typeof endpointInput>;
export type EndpointChangeInput = { readonly [K in keyof EndpointInput]?: EndpointInput[K] | undefined };

interface Owner {
  readonly organizationId: string;
  /** As `triggeredBy` of a job */
  readonly createdBy: string;
}

/** @returns the secret too: it is told once. @throws UserFacingError */
export async function createEndpoint(
  { db, cipher, outbound }: WebhookDeps,
  { organizationId, createdBy }: Owner,
  input: EndpointInput,
): Promise<{ readonly id: string; readonly secret: string }> {
  const { url, description, eventTypes } = parseInput(endpointInput, input);
  const checked = checkUrl(url, outbound);
  const id = newUuid();
  const secret = newWebhookSecret();
  const { table, current: column } = ENDPOINT_SECRETS;
  const endpoint = { id, organizationId, createdBy, url: checked, description, eventTypes };
  const encrypted = cipher.encrypt(secret, { table, column, rowId: id });
  const isStored = await db.transaction((tx) => insertEndpoint(tx, { ...endpoint, secret: encrypted }));
  if (isStored) return { id, secret };
  const message = `An organization has at most ${WEBHOOK_ENDPOINTS_MAX} webhook endpoints. Delete one first.`;
  throw UserFacingError.of('LIMIT_REACHED', null, message);
}

/** @throws UserFacingError */
export async function changeEndpoint(
  { db, outbound }: WebhookDeps,
  organizationId: string,
  id: string,
  input: EndpointChangeInput,
): Promise<void> {
  const { url, ...rest } = parseInput(endpointChange, input);
  const change = { ...rest, ...(url === undefined ? {} : { url: checkUrl(url, outbound) }) };
  if (!(await updateEndpoint(db, organizationId, id, change))) throw noSuchEndpoint();
}

/** A new secret; the one before signs beside it for `overlapMs`. @returns it, once. @throws UserFacingError */
export async function rotateSecret(
  { db, cipher }: WebhookDeps,
  organizationId: string,
  id: string,
  overlapMs: number,
): Promise<string> {
  const { table, current, previous } = ENDPOINT_SECRETS;
  const secret = newWebhookSecret();
  await db.transaction(async (tx) => {
    const stored = await lockEndpointSecret(tx, organizationId, id);
    if (stored === null) throw noSuchEndpoint();
    const before = cipher.decrypt(stored, { table, column: current, rowId: id });
    await replaceEndpointSecret(tx, id, {
      secret: cipher.encrypt(secret, { table, column: current, rowId: id }),
      previousSecret: cipher.encrypt(before, { table, column: previous, rowId: id }),
      overlapMs,
    });
  });
  return secret;
}

export function noSuchEndpoint(): UserFacingError {
  return UserFacingError.of('NOT_FOUND', ['id'], 'There is no such webhook endpoint.');
}

/** @throws UserFacingError that says why we would not call it */
function checkUrl(url: string, policy: OutboundPolicy): string {
  try {
    return checkOutboundUrl(url, policy).href;
  } catch (error) {
    if (error instanceof UnsafeUrlError) throw UserFacingError.of('INVALID', ['input', 'url'], error.message);
    throw error;
  }
}

import { randomBytes } from 'node:crypto';
import type { ProviderWebhook } from '../connectors/connector.ts';
import { CONNECTION_SECRETS } from '../repositories/connections.ts';
import {
  findToldConnection,
  noteProviderEvent,
  type ToldConnection,
} from '../repositories/provider-events.ts';
import type { ConnectionDeps } from './deps.ts';
import { decryptCredentials } from './open.ts';

/** What came in the name of a provider. */
export interface Told {
  readonly provider: string;
  /** uuid; there may be none of it */
  readonly connectionId: string;
  /** As it came, byte for byte */
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/**
 * Believes a provider and lets a sync be due.
 * @returns `forged` for what nobody signed who may: a connection that does not exist answers the same, after the same
 * work, so that nobody learns which ones do
 */
export async function takeProviderEvent(
  deps: ConnectionDeps,
  webhook: ProviderWebhook,
  { provider, connectionId, body, headers }: Told,
): Promise<'noted' | 'known' | 'forged'> {
  const connection = await findToldConnection(deps.db, provider, connectionId);
  const secrets = connection ? secretsOf(deps, webhook, connection) : [];
  const event = webhook.verify({
    body,
    headers,
    // Nobody has signed with this one.
    secrets: secrets.length > 0 ? secrets : [randomBytes(32).toString('base64url')],
    now: deps.clock.now(),
  });
  if (!connection || !event) return 'forged';
  const noted = { connectionId: connection.id, eventId: event.id, isDue: event.entities.length > 0 };
  return (await noteProviderEvent(deps.db, noted)) ? 'noted' : 'known';
}

/** What a person entered: one, or several with spaces between while one is replaced. Else what the credentials hold. */
function secretsOf(
  { cipher }: ConnectionDeps,
  { secretIn = () => null }: ProviderWebhook,
  { id, webhookSecret, credentials }: ToldConnection,
): readonly string[] {
  if (webhookSecret !== null) {
    const { table, webhookSecret: column } = CONNECTION_SECRETS;
    const entered = cipher.decrypt(webhookSecret, { table, column, rowId: id });
    return entered.split(/\s+/).filter((secret) => secret !== '');
  }
  const own = credentials === null ? null : secretIn(decryptCredentials(cipher, id, credentials));
  return own === null ? [] : [own];
}

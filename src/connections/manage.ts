import { z } from 'zod';
import { UserFacingError } from '../domain/errors.ts';
import { parseInput } from '../domain/parse-input.ts';
import { cancelJob } from '../queue/cancel.ts';
import type { JobDeps } from '../queue/deps.ts';
import { liveSyncsOf } from '../repositories/connection-lists.ts';
import {
  CONNECTION_SECRETS,
  disconnectConnection,
  findAnyConnection,
  pauseConnection,
  resumeConnection,
  updateConnection,
} from '../repositories/connections.ts';
import { noSuchConnection, reconnectAccount } from './connect.ts';
import type { ConnectionDeps } from './deps.ts';

/** Which connection, whose, and who asks. */
export interface Target {
  readonly organizationId: string;
  readonly id: string;
  /** As `triggeredBy` of a job */
  readonly by: string;
}

/** Nothing is read until it is resumed; a sync that runs is cancelled. @throws UserFacingError */
export async function pause(deps: JobDeps, target: Target): Promise<void> {
  if (!(await pauseConnection(deps.db, target.organizationId, target.id))) throw noSuchConnection();
  await cancelSync(deps, target, 'The connection was paused.');
}

/** @throws UserFacingError */
export async function resume({ db }: Pick<JobDeps, 'db'>, { organizationId, id }: Target): Promise<void> {
  if (!(await resumeConnection(db, organizationId, id))) throw noSuchConnection();
}

/**
 * Its credentials are forgotten and its figures no longer count. Connecting the account again brings them back.
 * @param erase all that was read is deleted too, and nothing brings it back
 */
export async function disconnect(deps: JobDeps, target: Target, erase: boolean): Promise<void> {
  if (!(await disconnectConnection(deps.db, target.organizationId, target.id, erase)))
    throw noSuchConnection();
  await cancelSync(deps, target, 'The connection was disconnected.');
}

async function cancelSync(deps: JobDeps, { organizationId, id, by }: Target, reason: string): Promise<void> {
  const live = (await liveSyncsOf(deps.db, organizationId, [id])).get(id);
  if (live !== undefined) await cancelJob(deps, { organizationId, jobId: live, by, reason });
}

/** @throws UserFacingError, also for credentials of another account */
export async function reconnect(
  deps: ConnectionDeps,
  { organizationId, id }: Target,
  given: { readonly config?: unknown; readonly credentials: unknown },
): Promise<void> {
  const known = await findAnyConnection(deps.db, organizationId, id);
  if (!known) throw noSuchConnection();
  await reconnectAccount(deps, {
    organizationId,
    connectionId: id,
    provider: known.provider,
    config: given.config ?? known.config,
    credentials: given.credentials,
  });
}

const SECONDS = { min: 60, max: 7 * 86_400 };
const SECONDS_TEXT = `Expected ${SECONDS.min} to ${SECONDS.max} seconds.`;

const change = z.object({
  syncEverySeconds: z.int().min(SECONDS.min, SECONDS_TEXT).max(SECONDS.max, SECONDS_TEXT).optional(),
  webhookSecret: z
    .string()
    .min(8, 'Expected at least 8 characters.')
    .max(500, 'Expected at most 500 characters.')
    .nullish(),
});

/** Changes what is given; a webhook secret of null is taken away. @throws UserFacingError */
export async function update(
  { db, cipher, connectors }: ConnectionDeps,
  { organizationId, id }: Target,
  input: z.input<typeof change>,
): Promise<void> {
  const { syncEverySeconds, webhookSecret } = parseInput(change, input);
  const known = await findAnyConnection(db, organizationId, id);
  if (!known) throw noSuchConnection();
  if (webhookSecret && !connectors[known.provider]?.webhook)
    throw UserFacingError.of('INVALID', ['input', 'webhookSecret'], 'This provider sends no webhooks.');
  const { table, webhookSecret: column } = CONNECTION_SECRETS;
  const encrypted = webhookSecret && cipher.encrypt(webhookSecret, { table, column, rowId: id });
  const isChanged = await updateConnection(db, organizationId, id, {
    syncEverySeconds,
    webhookSecret: encrypted,
  });
  if (!isChanged) throw noSuchConnection();
}

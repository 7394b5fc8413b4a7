import type { UserError } from '../domain/errors.ts';
import { QUEUE_NAMES } from '../domain/job.ts';
import {
  listOrphanedCancels,
  requestCancel,
  requestCancels,
  type CancelEffect,
  type CancelRequest,
} from '../repositories/job-cancel.ts';
import { announce } from './announce.ts';
import type { JobDeps } from './deps.ts';

export interface CancelResult {
  /** The asked job, also when it was settled before; null when there is none */
  readonly jobId: string | null;
  readonly error: UserError | null;
}

/** Cancels what waits at once and asks the worker of what runs; see the repository for what happens to each. */
export async function cancelJob(deps: JobDeps, request: CancelRequest): Promise<CancelResult> {
  const effects = await requestCancel(deps.db, request);
  tellCancelled(deps, effects);
  if (effects.some(({ jobId }) => jobId === request.jobId)) return { jobId: request.jobId, error: null };
  return notCancellable(deps, request);
}

/** Jobs of one round */
const ORPHANS_MAX = 500;

/**
 * Keeps the word given to whoever cancelled a job whose worker died before it heard. A living worker does this as it
 * takes the dead one's jobs over; the API does, because there may be none.
 */
export async function endOrphanedCancels(deps: JobDeps): Promise<void> {
  const orphaned = await listOrphanedCancels(deps.db, ORPHANS_MAX);
  // Who asked, and why, is written down already.
  const ended = orphaned.map((jobs) => requestCancels(deps.db, { ...jobs, by: 'system', reason: null }));
  for (const effects of await Promise.all(ended)) tellCancelled(deps, effects);
}

/** What a cancel that was committed means to others. Never throws; who misses it finds it in Postgres. */
export function tellCancelled(deps: JobDeps, effects: readonly CancelEffect[]): void {
  announce(deps.bus, ...effects);
  for (const { jobId, effect, delivery } of effects) {
    if (effect === 'requested') deps.bus.publish('jobCancel', jobId, { delivery });
  }
  void removeFromBroker(deps, effects);
}

/** Tidiness only: a delivery that stays is dropped when it is claimed. */
async function removeFromBroker(deps: JobDeps, effects: readonly CancelEffect[]): Promise<void> {
  const removals = effects
    .filter(({ effect }) => effect === 'cancelled')
    .map(async ({ jobId, delivery, queue }) => {
      const name = QUEUE_NAMES.find((known) => known === queue);
      if (name) await deps.queue.remove(name, jobId, delivery);
    });
  const failed = (await Promise.allSettled(removals)).filter((result) => result.status === 'rejected');
  if (failed.length > 0)
    deps.log.debug({ deliveries: failed.length }, 'deliveries of cancelled jobs stay in the broker');
}

async function notCancellable(
  deps: JobDeps,
  { organizationId, jobId }: CancelRequest,
): Promise<CancelResult> {
  const { rows } = await deps.db.query<{ status: string }>(
    'SELECT status FROM jobs WHERE organization_id = $1 AND id = $2 AND NOT internal',
    [organizationId, jobId],
  );
  const [job] = rows;
  if (!job)
    return { jobId: null, error: { code: 'NOT_FOUND', field: ['id'], message: 'There is no such job.' } };
  const message = `The job is settled already: ${job.status.replaceAll('_', ' ')}.`;
  return { jobId, error: { code: 'CONFLICT', field: ['id'], message } };
}

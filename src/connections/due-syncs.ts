import type { Connectors } from '../connectors/index.ts';
import { startTogetherIn } from '../queue/start-batch.ts';
import type { JobDeps } from '../queue/deps.ts';
import { takeDueConnections } from '../repositories/connection-runs.ts';

/** Syncs of one transaction */
const BATCH = 50;
/** Batches of one run, so that a worker that is going away need not wait for more. */
const BATCHES_MAX = 20;

/**
 * Starts the syncs whose time has come, of the providers that this installation knows: the account of another waits, as
 * one of a demo does where demos are off. Any number of workers may do so at once.
 */
export async function startDueSyncs(
  deps: JobDeps,
  connectors: Connectors,
  signal: AbortSignal,
): Promise<void> {
  const providers = Object.keys(connectors);
  for (let batch = 0; batch < BATCHES_MAX && !signal.aborted; batch += 1) {
    const { started, afterCommit } = await deps.db.transaction(async (tx) => {
      const due = await takeDueConnections(tx, providers, BATCH);
      const requests = due.map(({ id, organizationId }) => ({
        organizationId,
        kind: 'connector_sync',
        input: { connectionId: id },
        triggeredBy: 'schedule:sync',
      }));
      return { started: due.length, afterCommit: await startTogetherIn(tx, deps, requests) };
    });
    await afterCommit();
    if (started < BATCH) return;
  }
}

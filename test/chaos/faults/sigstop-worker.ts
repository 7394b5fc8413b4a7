import { waitFor } from '../../support/wait.ts';
import type { Chaos } from '../chaos.ts';
import type { Fault } from '../fault.ts';
import { statusOf } from '../ledger.ts';

const ROWS = 1_000;

/** A worker is stopped in the middle of a COPY, is taken over, and comes back as a zombie that goes on with it. */
export const sigstopCopy: Fault = {
  name: 'sigstop-copy',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 30, short: 15 },
  run: (chaos) => stopInside(chaos, 'copy'),
};

/** The same, with its rows written and not yet committed. */
export const sigstopCommit: Fault = {
  name: 'sigstop-commit',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 30, short: 15 },
  run: (chaos) => stopInside(chaos, 'upsert'),
};

async function stopInside(chaos: Chaos, script: 'copy' | 'upsert'): Promise<void> {
  const { db } = chaos.stack;
  const { jobId, worker } = await chaos.startHeld(script, ROWS);
  worker.kill('SIGSTOP');
  const sinceMs = Date.now();
  await chaos.expectTakeover([jobId], worker, sinceMs);
  await waitFor(async () => (await statusOf(db, jobId)) === 'completed', { timeoutMs: 30_000 });
  chaos.goOn(worker);
  worker.kill('SIGCONT');
  chaos.over();
  // It beats again, so its row is there once it has had the chance to write.
  await waitFor(
    async () => {
      const beats = await db.query('SELECT 1 FROM workers WHERE name LIKE $1', [`%:${worker.pid}`]);
      return beats.rows.length === 1;
    },
    { timeoutMs: 30_000 },
  );
  await chaos.last(3, 0.5);
}

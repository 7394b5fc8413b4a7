import { waitFor } from '../../support/wait.ts';
import type { Chaos } from '../chaos.ts';
import type { Fault } from '../fault.ts';
import { jobsRunningOn } from '../ledger.ts';
import type { ChaosProcess } from '../process.ts';

/** A worker dies in the middle of its jobs; a supervisor starts another one. */
export const sigkillWorker: Fault = {
  name: 'sigkill-worker',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 60, short: 20 },
  async run(chaos) {
    const victim = await busyWorker(chaos);
    const jobIds = await jobsRunningOn(chaos.stack.db, victim.pid);
    const sinceMs = Date.now();
    await victim.end();
    chaos.over();
    chaos.stack.workers.shift();
    await Promise.all([chaos.expectTakeover(jobIds, victim, sinceMs), chaos.stack.startWorker()]);
  },
};

/** The first worker, with jobs on it that take their time. */
export async function busyWorker({ stack, load }: Chaos): Promise<ChaosProcess> {
  const [worker] = stack.workers;
  if (!worker) throw new Error('a stack without workers');
  await load.startMany(10, 'slow', stack.scale === 'full' ? 60 : 25, true);
  await waitFor(async () => (await jobsRunningOn(stack.db, worker.pid)).length >= 2);
  return worker;
}

import type { Fault } from '../fault.ts';
import { jobsRunningOn } from '../ledger.ts';
import { busyWorker } from './sigkill-worker.ts';

/** A worker's link to PostgreSQL is dead and nobody says so: its jobs go elsewhere, it knows that it is useless. */
export const halfOpenPostgres: Fault = {
  name: 'half-open-postgres',
  backends: ['postgres', 'redis'],
  shape: { proxied: 'first' },
  settledWithinSeconds: { full: 60, short: 40 },
  async run(chaos) {
    const victim = await busyWorker(chaos);
    const jobIds = await jobsRunningOn(chaos.stack.db, victim.pid);
    chaos.stack.proxies?.postgres.halfOpen();
    const sinceMs = Date.now();
    await Promise.all([
      chaos.expectNotReady('worker', [victim], sinceMs),
      chaos.expectTakeover(jobIds, victim, sinceMs),
      chaos.last(40, 5),
    ]);
    chaos.stack.proxies?.postgres.restore();
    chaos.over();
    await chaos.expectReady([victim]);
  },
};

/** A worker's link to Redis is dead and nobody says so. */
export const halfOpenRedis: Fault = {
  name: 'half-open-redis',
  backends: ['redis'],
  shape: { proxied: 'first' },
  settledWithinSeconds: { full: 60, short: 40 },
  async run(chaos) {
    const victim = await busyWorker(chaos);
    chaos.stack.proxies?.redis?.halfOpen();
    const sinceMs = Date.now();
    await Promise.all([chaos.expectNotReady('worker', [victim], sinceMs), chaos.last(40, 12)]);
    chaos.stack.proxies?.redis?.restore();
    chaos.over();
    await chaos.expectReady([victim]);
  },
};

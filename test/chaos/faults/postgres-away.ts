import type { Fault } from '../fault.ts';

/** PostgreSQL ends and is back as soon as it can. */
export const postgresRestart: Fault = {
  name: 'postgres-restart',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 60, short: 30 },
  async run(chaos) {
    await chaos.load.startMany(20, 'slow', 20, true);
    await chaos.stack.servers.postgres.stop();
    await chaos.stack.servers.postgres.start();
    chaos.over();
  },
};

/** PostgreSQL is gone for 30 s while 5,000 jobs wait. On its own backend it takes broker and bus along. */
export const postgresGone: Fault = {
  name: 'postgres-gone',
  backends: ['postgres', 'redis'],
  shape: { workers: 0 },
  settledWithinSeconds: { full: 240, short: 60 },
  async run(chaos) {
    const { servers, workers, apis, scale } = chaos.stack;
    await chaos.load.startMany(scale === 'full' ? 5_000 : 200, 'rows', 1);
    await Promise.all([chaos.stack.startWorker(), chaos.stack.startWorker()]);
    await chaos.last(2, 0.5);
    const sinceMs = Date.now();
    await servers.postgres.stop();
    await Promise.all([
      chaos.expectNotReady('API', apis, sinceMs),
      chaos.expectNotReady('worker', workers, sinceMs),
      chaos.last(30, 3),
    ]);
    await servers.postgres.start();
    chaos.over();
    await chaos.expectReady([...apis, ...workers]);
  },
};

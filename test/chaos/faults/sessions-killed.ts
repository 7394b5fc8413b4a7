import type { Fault } from '../fault.ts';

/** Someone ends every database session of the installation, a few times in a row. */
export const sessionsKilled: Fault = {
  name: 'sessions-killed',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 60, short: 20 },
  async run(chaos) {
    await chaos.load.startMany(20, 'slow', 20, true);
    for (let time = 0; time < 3; time += 1) {
      await chaos.stack.db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'millrace%'`,
      );
      await chaos.last(2, 0.3);
    }
    chaos.over();
  },
};

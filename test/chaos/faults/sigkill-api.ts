import type { Fault } from '../fault.ts';

/** An API process dies under its clients' hands and comes back at the same address. */
export const sigkillApi: Fault = {
  name: 'sigkill-api',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 30, short: 15 },
  async run(chaos) {
    const { apis } = chaos.stack;
    await chaos.load.startMany(10, 'slow', 30, true);
    await apis[0]?.end();
    await chaos.last(5, 0.5);
    await chaos.stack.restartApi(0);
    chaos.over();
  },
};

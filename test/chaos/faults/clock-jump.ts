import type { Fault } from '../fault.ts';

const HOUR_MS = 3_600_000;

/** The first worker's wall clock is set an hour ahead, then an hour back, then right. */
export const clockJump: Fault = {
  name: 'clock-jump',
  backends: ['postgres', 'redis'],
  shape: { jumpingClocks: true },
  settledWithinSeconds: { full: 40, short: 20 },
  async run(chaos) {
    const [worker] = chaos.stack.workers;
    for (const offsetMs of [HOUR_MS, -HOUR_MS, 0]) {
      await chaos.load.startMany(10, 'slow', 20, true);
      worker?.send({ type: 'clock', offsetMs });
      await chaos.last(15, 2);
    }
    chaos.over();
  },
};

import { expect, test } from 'vitest';
import { BROKERS } from '../support/engine.ts';
import { streamScenario } from './stream-scenario.ts';

/** The full run has 1,000 subscribers and takes minutes; this one is the same with less of everything. */
test.each(BROKERS)(
  'over %s, subscribers see every event once and in order, though sockets break and the API restarts',
  { timeout: 400_000 },
  async (broker) => {
    const figures = await streamScenario({ broker, subscribers: 200, seconds: 6, eventsMin: 150 });
    expect(figures).toMatchObject({ missing: 0, doubled: 0, outOfOrder: 0 });
    expect(figures.events).toBeGreaterThan(100);
    expect(figures.deliveries).toBeGreaterThan(5_000);
    expect(figures.restarts).toBeGreaterThan(0);
    expect(figures.socketsBroken).toBeGreaterThan(0);
  },
);

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBus } from '../../src/events/index.ts';
import type { BusAdapter } from '../../src/events/adapter.ts';
import { reasonsNotReady, type ReadinessParts } from '../../worker/readiness.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';

describe('a worker', () => {
  let database: TestDatabase;
  let bus: BusAdapter;
  beforeAll(async () => {
    database = await createTestDatabase();
    const applicationName = 'millrace-test';
    bus = await openBus({
      broker: { type: 'postgres' },
      directDatabaseUrl: database.url,
      applicationName,
      log: silentLog,
    });
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await bus.close();
    await database.close();
  };
  afterAll(close);

  const reasons = (change: Partial<ReadinessParts> = {}): Promise<string[]> =>
    reasonsNotReady(
      {
        db: database.db,
        bus,
        beat: { sinceLastMs: () => 4_000 },
        staleMs: 15_000,
        broker: { silentMs: () => 3_000 },
        consumers: [{ queue: 'default', deaf: false }],
        lag: { recentMs: () => 20 },
        isDraining: () => false,
        ...change,
      },
      AbortSignal.timeout(5_000),
    );

  it('that can do its work is ready', async () => {
    expect(await reasons()).toEqual([]);
  });

  it.each<[string, Partial<ReadinessParts>]>([
    ['the worker is shutting down', { isDraining: () => true }],
    ['the heartbeat does not get through', { beat: { sinceLastMs: () => 15_001 } }],
    ['the broker does not answer', { broker: { silentMs: () => 15_001 } }],
    ['the main loop was held up', { lag: { recentMs: () => 5_001 } }],
    [
      'jobs wait in the queue default and the consumer fetches none',
      { consumers: [{ queue: 'default', deaf: true }] },
    ],
  ])('is not ready when %s', async (reason, change) => {
    expect(await reasons(change)).toEqual([reason]);
  });

  it('tells all reasons at once, and no address', async () => {
    await close();
    expect(await reasons({ lag: { recentMs: () => 9_000 } })).toEqual([
      'PostgreSQL does not answer',
      'the event bus is not connected',
      'the main loop was held up',
    ]);
  });
});

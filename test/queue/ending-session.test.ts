import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { brokerOf } from '../../src/queue/broker.ts';
import { openQueue } from '../../src/queue/index.ts';
import { startEndingPostgres } from '../support/ending-postgres.ts';
import { silentLog } from '../support/log.ts';

/** An `error` event that nobody listens for is uncaught: it would fail the test run, and end a process. */
describe('a queue on Postgres', () => {
  let server: Awaited<ReturnType<typeof startEndingPostgres>>;
  beforeAll(async () => {
    server = await startEndingPostgres();
  });
  afterAll(() => server.close());

  it('whose session ends as soon as it is ready rejects calls, and lets the process live', async () => {
    const queue = openQueue(brokerOf(readConfig({}).broker, server.url, 'test'), silentLog);
    await expect(queue.plantEpoch('default')).rejects.toThrow();
    await expect(queue.counts('default')).rejects.toThrow();
    await queue.close();
  });
});

import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/domain/job.ts';
import type { EventBus } from '../../src/events/bus.ts';
import { openBus } from '../../src/events/index.ts';
import { createJobStreams } from '../../src/events/job-streams.ts';
import { createJobLogReader } from '../../src/repositories/job-log.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization } from '../support/organization.ts';
import { appendRawEvent, insertRawJob } from '../support/raw-job.ts';

const EVENTS = 300;
const BREAKS_AT = [60, 150, 240];

function eventAt(index: number): Omit<JobEvent, 'seq' | 'at'> {
  const rest = { attempt: 1, progressPercent: null, level: null, errorCode: null };
  if (index === EVENTS) return { ...rest, type: 'status', status: 'completed', message: null };
  return {
    ...rest,
    type: 'log',
    status: 'running',
    message: index % 10 === 0 ? 'x'.repeat(3_000) : `line ${index}`,
  };
}

function publish(bus: EventBus, organizationId: string, jobId: string, { seq, at, ...rest }: JobEvent): void {
  bus.publish('jobEvent', jobId, { organizationId, seq, event: { ...rest, at: at.toISOString() } });
}

test('streams over Postgres have no gaps, though their links break again and again', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const organizationId = (await createOrganization(db)).id;
  const jobId = await insertRawJob(db, organizationId);
  const openOne = (applicationName: string): ReturnType<typeof openBus> =>
    openBus({
      broker: { type: 'postgres' },
      directDatabaseUrl: database.url,
      applicationName,
      log: silentLog,
    });
  const [worker, api] = [await openOne('worker'), await openOne('api-bus')];
  const streams = createJobStreams({ bus: api, log: createJobLogReader(db), logger: silentLog });
  const read = async (): Promise<number[]> => {
    const seqs: number[] = [];
    for await (const event of streams.events(jobId, 0)) seqs.push(event.seq);
    return seqs;
  };
  const readers = Array.from({ length: 20 }, read);
  for (let index = 1; index <= EVENTS; index += 1) {
    publish(worker, organizationId, jobId, await appendRawEvent(db, jobId, eventAt(index)));
    if (BREAKS_AT.includes(index)) {
      await db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'api-bus'`,
      );
    }
  }
  const all = Array.from({ length: EVENTS }, (_, index) => index + 1);
  for (const seqs of await Promise.all(readers)) expect(seqs).toEqual(all);
  expect(api.listeners).toBe(0);
  expect(streams.open).toBe(0);
  await Promise.all([worker.close(), api.close()]);
});

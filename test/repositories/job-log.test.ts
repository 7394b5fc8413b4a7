import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobEvent } from '../../src/domain/job.ts';
import { createJobLogReader } from '../../src/repositories/job-log.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';
import { appendRawEvent, insertRawJob } from '../support/raw-job.ts';

const progress: Omit<JobEvent, 'seq' | 'at'> = {
  type: 'progress',
  attempt: 1,
  status: 'running',
  progressPercent: 10,
  message: 'rows',
  level: null,
  errorCode: null,
};

describe("the log of a job's events", () => {
  let database: TestDatabase;
  let organizationId: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    organizationId = (await createOrganization(database.db)).id;
  });
  afterAll(() => database.close());

  test('is read in pages, in order, from any place', async () => {
    const { db } = database;
    const [jobId, otherId] = [await insertRawJob(db, organizationId), await insertRawJob(db, organizationId)];
    const written: JobEvent[] = [];
    for (let count = 0; count < 7; count += 1) written.push(await appendRawEvent(db, jobId, progress));
    await appendRawEvent(db, otherId, progress);
    const log = createJobLogReader(db);
    expect(await log.readEvents(jobId, 0, 3)).toEqual(written.slice(0, 3));
    expect(await log.readEvents(jobId, 5, 500)).toEqual(written.slice(5));
    expect(await log.readEvents(jobId, 7, 500)).toEqual([]);
  });

  test('shows a code that only a newer version knows as INTERNAL', async () => {
    const { db } = database;
    const jobId = await insertRawJob(db, organizationId);
    await appendRawEvent(db, jobId, { ...progress, type: 'status', status: 'failed', errorCode: 'TIMEOUT' });
    await db.query(`UPDATE job_events SET error_code = 'FROM_THE_FUTURE' WHERE job_id = $1`, [jobId]);
    expect((await createJobLogReader(db).readEvents(jobId, 0, 1))[0]?.errorCode).toBe('INTERNAL');
  });

  test('tells for many jobs at once how far they are, and which are settled', async () => {
    const { db } = database;
    const [running, done] = [await insertRawJob(db, organizationId), await insertRawJob(db, organizationId)];
    await appendRawEvent(db, running, progress);
    await appendRawEvent(db, done, progress);
    await appendRawEvent(db, done, { ...progress, type: 'status', status: 'cancelled' });
    const heads = await createJobLogReader(db).lastSeqs([running, done, randomUUID()]);
    expect(heads.size).toBe(2);
    expect(heads.get(running)).toMatchObject({ lastSeq: 1, settled: false });
    expect(heads.get(done)).toMatchObject({ lastSeq: 2, settled: true });
    expect((await createJobLogReader(db).lastSeqs([])).size).toBe(0);
  });

  test('has another revision when the progress changes without an event', async () => {
    const { db } = database;
    const jobId = await insertRawJob(db, organizationId);
    const log = createJobLogReader(db);
    const revision = async (): Promise<string | undefined> =>
      (await log.lastSeqs([jobId])).get(jobId)?.revision;
    const before = await revision();
    expect(await revision()).toBe(before);
    await db.query('UPDATE jobs SET count_processed = 7 WHERE id = $1', [jobId]);
    expect(await revision()).not.toBe(before);
  });
});

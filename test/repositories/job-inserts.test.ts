import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { insertJobs, type NewJob } from '../../src/repositories/job-inserts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { newJob as newJobOf } from '../support/new-job.ts';
import { createOrganization } from '../support/organization.ts';

describe('jobs that are started together', () => {
  let database: TestDatabase;
  let organizationId: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    const own = database;
    onTestFinished(() => own.close());
    organizationId = (await createOrganization(database.db)).id;
    await run(`INSERT INTO queues (name) VALUES ('default'), ('long_running')`);
    await run(
      `INSERT INTO workers (id, name, kinds, queues) VALUES (gen_random_uuid(), 'w', '{"known": 1}', '{default}')`,
    );
  });

  const run = (sql: string, ...values: unknown[]) => database.db.query<Record<string, unknown>>(sql, values);
  const newJob = (more: Partial<NewJob> = {}): NewJob => newJobOf(organizationId, more);
  const insert = (jobs: readonly NewJob[], window = 100) => insertJobs(database.db, jobs, window);
  const issuedOf = async (jobs: readonly NewJob[], window?: number) =>
    (await insert(jobs, window)).map((inserted) => inserted?.issued?.place ?? null);

  it('are written as they are, each with its first event, and are on their way', async () => {
    const job = newJob();
    const [inserted] = await insert([job]);
    expect(inserted?.issued).toEqual({ jobId: job.id, delivery: 1, place: 1 });
    expect(inserted?.news.events).toMatchObject([{ seq: 1, type: 'status', status: 'pending', attempt: 0 }]);
    const { rows } = await run('SELECT input, input_hash, search_text, queue_job_id, last_seq FROM jobs');
    expect(rows).toEqual([
      {
        input: job.input,
        input_hash: job.inputHash,
        search_text: job.searchText,
        queue_job_id: `${job.id}-1`,
        last_seq: 1,
      },
    ]);
    expect((await run('SELECT at, seq, status FROM job_events')).rows).toEqual([
      { at: inserted?.news.events[0]?.at, seq: 1, status: 'pending' },
    ]);
  });

  it('get the places behind those of their organization and queue, while its window has room', async () => {
    expect(await issuedOf([newJob(), newJob(), newJob({ queue: 'long_running' })], 3)).toEqual([1, 2, 1]);
    expect(await issuedOf([newJob(), newJob(), newJob({ priority: 'HIGH' })], 3)).toEqual([3, null, 1]);
    const other = await createOrganization(database.db);
    expect(await issuedOf([newJob({ organizationId: other.id })], 3)).toEqual([1]);
  });

  it('wait in Postgres when they are not due, unknown to every worker, or their queue is paused', async () => {
    await run(`UPDATE queues SET paused_at = now() WHERE name = 'long_running'`);
    const jobs = [
      newJob({ runAt: new Date(Date.now() + 60_000) }),
      newJob({ kind: 'unknown' }),
      newJob({ version: 2 }),
      newJob({ queue: 'long_running' }),
      newJob({ runAt: new Date(Date.now() - 60_000) }),
    ];
    expect(await issuedOf(jobs)).toEqual([null, null, null, null, 1]);
    expect((await run('SELECT count(*)::int FROM jobs WHERE delivery = 0')).rows).toEqual([{ count: 4 }]);
  });

  it('are one for each unique key that lives, within a batch too', async () => {
    const [first, second] = await insert([newJob({ uniqueKey: 'k' }), newJob({ uniqueKey: 'k' })]);
    expect(first).not.toBeNull();
    expect(second).toBeNull();
    expect(await insert([newJob({ uniqueKey: 'k' })])).toEqual([null]);
    await run(`UPDATE jobs SET status = 'completed', completed_at = now()`);
    expect(await insert([newJob({ uniqueKey: 'k' })])).not.toEqual([null]);
  });

  describe('keep the uploads that they name', () => {
    const received = async (owner = organizationId, expires = '1 hour'): Promise<string> => {
      const id = newUuid();
      await run(
        `INSERT INTO uploads (id, organization_id, filename, content_type, storage_key, received_at, expires_at)
         VALUES ($1, $2, 'a.csv', 'text/csv', $1::uuid::text, now(), now() + $3::interval)`,
        id,
        owner,
        expires,
      );
      return id;
    };
    const isKept = async (id: string): Promise<boolean> =>
      (await run('SELECT 1 FROM uploads WHERE id = $1 AND expires_at IS NULL', id)).rowCount === 1;

    it('for as long as they live, each its own and shared ones', async () => {
      const [own, shared, other] = [await received(), await received(), await received()];
      const jobs = [
        newJob({ uploadIds: [own, shared, own] }),
        newJob({ uploadIds: [shared] }),
        newJob(),
      ] as const;
      expect((await insert(jobs)).every((inserted) => inserted !== null)).toBe(true);
      expect(await Promise.all([own, shared, other].map(isKept))).toEqual([true, true, false]);
      const { rows } = await run('SELECT job_id, upload_id FROM job_uploads');
      expect(rows).toHaveLength(3);
      expect(rows).toEqual(
        expect.arrayContaining([
          { job_id: jobs[0].id, upload_id: own },
          { job_id: jobs[0].id, upload_id: shared },
          { job_id: jobs[1].id, upload_id: shared },
        ]),
      );
    });

    it('or are not written, and hold up nobody else, where one is unknown, gone or of another organization', async () => {
      const [good, gone] = [await received(), await received(organizationId, '-1 hour')];
      const foreign = await received((await createOrganization(database.db)).id);
      const jobs = [[newUuid()], [gone], [good, foreign], [good]].map((uploadIds) => newJob({ uploadIds }));
      const inserted = await insert(jobs);
      expect(inserted.map((one) => one !== null)).toEqual([false, false, false, true]);
      expect((await run('SELECT id FROM jobs')).rows).toEqual([{ id: jobs[3]?.id }]);
      expect(await Promise.all([good, gone, foreign].map(isKept))).toEqual([true, false, false]);
    });

    it('not where a live job has the unique key: such an upload would be kept by nobody', async () => {
      const upload = await received();
      await insert([newJob({ uniqueKey: 'k' })]);
      expect(await insert([newJob({ uniqueKey: 'k', uploadIds: [upload] })])).toEqual([null]);
      expect(await isKept(upload)).toBe(false);
    });
  });
});

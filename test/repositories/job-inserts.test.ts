import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { insertJobs, type NewJob } from '../../src/repositories/job-inserts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
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
  const newJob = (more: Partial<NewJob> = {}): NewJob => ({
    id: newUuid(),
    organizationId,
    kind: 'known',
    version: 1,
    queue: 'default',
    priority: 'NORMAL',
    input: { text: 'it\'s "quoted" \\ {braces}, [lists]' },
    inputHash: Buffer.from([0, 255, 92]),
    triggeredBy: 'manual:test',
    runAt: null,
    maxAttempts: 3,
    idempotencyKey: null,
    uniqueKey: null,
    parentId: null,
    scheduleId: null,
    scheduledFor: null,
    internal: false,
    searchText: 'it\'s "quoted"',
    ...more,
  });
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
});

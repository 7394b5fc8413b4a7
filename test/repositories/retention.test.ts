import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pruneInternalJobs, pruneJobs } from '../../src/repositories/retention.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { seedEvents, seedItems, seedJob, type SeededJob } from '../support/job-rows.ts';
import { createOrganization } from '../support/organization.ts';
import { planOf } from '../support/plan.ts';

const LIMITS = { jobs: 200, rows: 20_000 };

describe('jobs that are older than their organization keeps them', () => {
  let database: TestDatabase;
  let organizationId: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    organizationId = await organization();
  });
  afterEach(() => database.close());

  const run = (sql: string, ...values: unknown[]) => database.db.query<Record<string, unknown>>(sql, values);
  async function organization(days: number | null = 30): Promise<string> {
    const { id } = await createOrganization(database.db);
    await run('UPDATE organizations SET job_retention_days = $2 WHERE id = $1', id, days);
    return id;
  }
  /** A job that was settled so many days ago, or `null` for one that is not settled. */
  async function job(
    days: number | null,
    columns: Parameters<typeof seedJob>[2] = {},
    organization = organizationId,
  ): Promise<SeededJob> {
    const seeded = await seedJob(database.db, organization, {
      status: days === null ? 'pending' : 'completed',
      ...columns,
    });
    if (days !== null) {
      await run(
        `UPDATE jobs SET completed_at = now() - make_interval(secs => $2) WHERE id = $1`,
        seeded.uuid,
        days * 86_400,
      );
    }
    return seeded;
  }
  const left = async (): Promise<string[]> => {
    const { rows } = await run('SELECT id FROM jobs ORDER BY id');
    return rows.map((row) => String(row['id']));
  };
  const uuids = (...jobs: readonly SeededJob[]): string[] => jobs.map(({ uuid }) => uuid).sort();

  it('go by their age since they were settled, each organization by its own policy', async () => {
    const strict = await organization(1);
    const keeping = await organization(null);
    const stay = [
      await job(29.9),
      await job(0.9, {}, strict),
      await job(3_000, {}, keeping),
      await job(null, { created_at: new Date(0) }),
      await job(null, { status: 'running', created_at: new Date(0) }),
    ];
    await job(30.1);
    await job(400, { status: 'failed' });
    await job(1.1, { status: 'cancelled' }, strict);
    expect(await pruneJobs(database.db, LIMITS)).toMatchObject({ jobs: 3 });
    expect(await left()).toEqual(uuids(...stay));
  });

  it('are kept 30 days where nobody chose, and a policy of no days at all is refused', async () => {
    const { id } = await createOrganization(database.db);
    const { rows } = await run('SELECT job_retention_days AS days FROM organizations WHERE id = $1', id);
    expect(rows).toEqual([{ days: 30 }]);
    for (const days of [0, 3_651])
      await expect(organization(days)).rejects.toThrow('organizations_retention_in_range');
  });

  it("of the system's own kinds go after a day, whatever the policy", async () => {
    const keeping = await organization(null);
    const internal = { internal: true, kind: 'canary', queue: 'internal' };
    await job(1.1, internal, keeping);
    const young = await job(0.9, internal);
    const old = await job(40);
    expect(await pruneInternalJobs(database.db, LIMITS)).toMatchObject({ jobs: 1 });
    expect(await left()).toEqual(uuids(young, old));
    await pruneJobs(database.db, LIMITS);
    expect(await left()).toEqual(uuids(young));
  });

  it('take all that is theirs with them, and the removal of their bytes is written down', async () => {
    const old = await job(40, { status: 'failed' });
    await seedEvents(database.db, old, 10_000, 'failed');
    await run(`UPDATE jobs SET completed_at = now() - interval '40 days' WHERE id = $1`, old.uuid);
    await seedItems(database.db, old, { warned: 10, failed: 90 });
    await run(`INSERT INTO job_attempts (job_id, delivery, number, worker) VALUES ($1, 1, 1, 'w')`, old.uuid);
    await run(`INSERT INTO job_steps (job_id, name, result) VALUES ($1, 's', '1')`, old.uuid);
    await run(`INSERT INTO job_checkpoints (job_id, cursor) VALUES ($1, '1')`, old.uuid);
    await run(
      `INSERT INTO stored_files (id, organization_id, job_id, role, filename, content_type, byte_size, sha256, storage_key)
       SELECT gen_random_uuid(), $1, $2, 'output', 'f', 'text/csv', 1, 'aa', 'key ' || n FROM generate_series(1, 3) n`,
      organizationId,
      old.uuid,
    );
    expect(await pruneJobs(database.db, LIMITS)).toEqual({ jobs: 1, rows: 10_100, files: 3 });
    for (const table of [
      'job_events',
      'job_items',
      'job_attempts',
      'job_steps',
      'job_checkpoints',
      'stored_files',
    ]) {
      expect((await run(`SELECT 1 FROM ${table}`)).rows, table).toEqual([]);
    }
    const { rows } = await run('SELECT storage_key FROM storage_removals ORDER BY 1');
    expect(rows.map((row) => row['storage_key'])).toEqual(['key 1', 'key 2', 'key 3']);
  });

  it('go after their children and never while their parent is at work', async () => {
    const working = await job(null, { status: 'running' });
    const needed = await job(40, { parent_id: working.uuid });
    const grandparent = await job(40);
    const parent = await job(40, { parent_id: grandparent.uuid });
    await job(40, { parent_id: parent.uuid });
    const young = await job(1, { parent_id: grandparent.uuid });
    await pruneJobs(database.db, LIMITS);
    expect(await left()).toEqual(uuids(working, needed, grandparent, parent, young));
    await pruneJobs(database.db, LIMITS);
    expect(await pruneJobs(database.db, LIMITS)).toMatchObject({ jobs: 0 });
    expect(await left()).toEqual(uuids(working, needed, grandparent, young));
  });

  it('go in batches that are bounded by their rows, and one that is larger goes alone', async () => {
    for (let jobs = 0; jobs < 6; jobs += 1) {
      await run('UPDATE jobs SET last_seq = 400 WHERE id = $1', (await job(60 - jobs)).uuid);
    }
    await run('UPDATE jobs SET last_seq = 10000, item_count = 100000 WHERE id = $1', (await job(90)).uuid);
    const sizes: number[] = [];
    for (let found = 1; found > 0;) {
      ({ jobs: found } = await pruneJobs(database.db, { jobs: 100, rows: 1_000 }));
      sizes.push(found);
    }
    expect(sizes).toEqual([1, 3, 3, 0]);
  });

  it('go once, however many workers prune at once', async () => {
    await run(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts, completed_at)
       SELECT gen_random_uuid(), $1, 'k', 1, 'completed', 'default', '{}', '\\x00', 'x', 1, now() - interval '31 days'
       FROM generate_series(1, 400) n`,
      organizationId,
    );
    const pruner = async (): Promise<number> => {
      let total = 0;
      for (let found = 1; found > 0; total += found)
        found = (await pruneJobs(database.db, { jobs: 20, rows: 1_000 })).jobs;
      return total;
    };
    const totals = await Promise.all([pruner(), pruner(), pruner()]);
    expect(totals.reduce((sum, total) => sum + total, 0)).toBe(400);
    expect(await left()).toEqual([]);
  });

  it('of one organization do not hold up those of another', async () => {
    const other = await organization();
    for (const [id, count] of [
      [organizationId, 500],
      [other, 5],
    ] as const) {
      // prettier-ignore
      await run(
        `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts, completed_at)
         SELECT gen_random_uuid(), $1, 'k', 1, 'completed', 'default', '{}', '\\x00', 'x', 1, now() - interval '31 days'
         FROM generate_series(1, $2::int) n`,
        id,
        count,
      );
    }
    await pruneJobs(database.db, LIMITS);
    expect((await run('SELECT 1 FROM jobs WHERE organization_id = $1', other)).rows).toEqual([]);
  });

  it('are found by an index that jobs kept for ever are not in the way of', async () => {
    const keeping = await organization(null);
    for (const [id, days, count] of [
      [keeping, 900, 20_000],
      [organizationId, 5, 20_000],
      [organizationId, 40, 50],
    ] as const) {
      // prettier-ignore
      await run(
        `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts, completed_at)
         SELECT gen_random_uuid(), $1, 'k', 1, 'completed', 'default', '{}', '\\x00', 'x', 1, now() - make_interval(days => $2)
         FROM generate_series(1, $3::int) n`,
        id,
        days,
        count,
      );
    }
    await run('ANALYZE jobs');
    const plan = await planOf(database.db, (sql) => pruneJobs(sql, LIMITS));
    expect(plan).toMatch(/Index Scan using jobs_settled on jobs/);
    expect(plan).not.toContain('Seq Scan on jobs');
    const internal = await planOf(database.db, (sql) => pruneInternalJobs(sql, LIMITS));
    expect(internal).toContain('jobs_settled_internal');
    expect(internal).not.toContain('Seq Scan on jobs');
  });
});

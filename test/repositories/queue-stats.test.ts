import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bucketOf, percentileMs } from '../../src/domain/histogram.ts';
import { newUuid } from '../../src/domain/ids.ts';
import { pruneQueueStats, readQueueStats, rollQueueStats } from '../../src/repositories/queue-stats.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';
import { planOf } from '../support/plan.ts';

describe('the figures of a queue', () => {
  let database: TestDatabase;
  let organizationId: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    organizationId = (await createOrganization(database.db)).id;
  });
  afterEach(() => database.close());

  const run = (sql: string, ...values: unknown[]) => database.db.query<Record<string, unknown>>(sql, values);
  /** Lets the upkeep look again without the pause between two looks. */
  const roll = async (): Promise<boolean> => {
    await run(`UPDATE upkeep_marks SET at = at - interval '11 seconds'`);
    return rollQueueStats(database.db);
  };
  const read = async (minutes = 15, organization = organizationId) =>
    (await readQueueStats(database.db, organization, ['default'], minutes)).get('default');

  interface Settled {
    readonly status?: string;
    readonly waitMs?: number;
    readonly runMs?: number;
    readonly secondsAgo?: number;
    readonly kind?: string;
    readonly internal?: boolean;
    readonly organization?: string;
    readonly count?: number;
  }
  /** Jobs that waited, had an attempt that failed, a pause, and a last attempt. */
  const settle = async (job: Settled = {}): Promise<void> => {
    const { status = 'completed', waitMs = 100, runMs = 1_000, secondsAgo = 0, kind = 'k' } = job;
    await run(
      `WITH job AS (
         INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts,
                           internal, created_at, started_at, completed_at)
         SELECT gen_random_uuid(), $1, $2, 1, $3::job_status, 'default', '{}', '\\x00', 'x', 3, $4,
                ended - interval '1 hour' - make_interval(secs => $5), ended - interval '1 hour', ended
         FROM (SELECT now() - make_interval(secs => $7) AS ended) AS time, generate_series(1, $8::int) RETURNING id, completed_at
       )
       INSERT INTO job_attempts (job_id, delivery, number, worker, started_at, ended_at)
       SELECT id, 1, 1, 'w', completed_at - interval '1 hour', completed_at - interval '30 minutes' FROM job
       UNION ALL SELECT id, 2, 2, 'w', completed_at - make_interval(secs => $6), completed_at FROM job`,
      job.organization ?? organizationId,
      kind,
      status,
      job.internal ?? false,
      waitMs / 1_000,
      runMs / 1_000,
      secondsAgo,
      job.count ?? 1,
    );
  };

  it('count what was settled and what failed, by the wait for the first attempt and the run of the last', async () => {
    await settle({ waitMs: 100, runMs: 1_000 });
    await settle({ waitMs: 10_000, runMs: 60_000, status: 'failed' });
    await settle({ kind: 'other', status: 'cancelled' });
    await roll();
    const stats = await read();
    expect(stats).toMatchObject({ finished: 3, failed: 1 });
    expect(stats?.wait).toEqual(new Map([[bucketOf(100), 2], [bucketOf(10_000), 1]])); // prettier-ignore
    expect(stats?.run).toEqual(new Map([[bucketOf(1_000), 2], [bucketOf(60_000), 1]])); // prettier-ignore
    expect(percentileMs(stats?.run ?? new Map(), 0.99)).toBeGreaterThan(50_000);
  });

  it('stay the same however often, and by however many workers at once, they are added up', async () => {
    await settle({ count: 20 });
    await roll();
    await roll();
    await run(`UPDATE upkeep_marks SET at = at - interval '1 minute'`);
    await Promise.all(Array.from({ length: 5 }, () => rollQueueStats(database.db)));
    expect(await read()).toMatchObject({ finished: 20 });
  });

  it('take in what is committed a little later than the time that it bears', async () => {
    await roll();
    await settle({ secondsAgo: 5 });
    await roll();
    expect(await read()).toMatchObject({ finished: 1 });
  });

  it('are added up by one worker every ten seconds, however many look', async () => {
    await roll();
    await settle();
    expect(await rollQueueStats(database.db)).toBe(false);
    expect(await read()).toMatchObject({ finished: 0 });
  });

  it('are made up for step by step when no worker was there for hours', async () => {
    for (const secondsAgo of [3 * 3_600, 2 * 3_600, 0]) await settle({ secondsAgo });
    await run(`UPDATE upkeep_marks SET at = now() - interval '4 hours'`);
    let steps = 1;
    while (await rollQueueStats(database.db)) steps += 1;
    expect(steps).toBeGreaterThanOrEqual(8);
    expect(await read(1_440)).toMatchObject({ finished: 3 });
    expect(await read(15)).toMatchObject({ finished: 1 });
  });

  it("are one organization's own, and the system's jobs are in none", async () => {
    const other = (await createOrganization(database.db)).id;
    await settle({ organization: other, count: 3 });
    await settle({ internal: true });
    await roll();
    expect(await read()).toMatchObject({ finished: 0 });
    expect(await read(15, other)).toMatchObject({ finished: 3 });
  });

  it('cover the window to the second, for rates that are right', async () => {
    const minutes = (await read(15))?.minutes ?? 0;
    expect(minutes).toBeGreaterThanOrEqual(14);
    expect(minutes).toBeLessThanOrEqual(15);
  });

  it('put a duration into the same bucket in SQL as in code', async () => {
    const durations = [0.4, 1, 2, 3, 9, 10, 99, 1_234, 59_999, 3_600_000, 86_400_000];
    for (const runMs of durations) await settle({ runMs });
    await roll();
    expect([...((await read())?.run.keys() ?? [])]).toEqual(
      expect.arrayContaining([...new Set(durations.map((ms) => bucketOf(Math.round(ms))))]),
    );
  });

  it('are added up and read by indexes: neither reads what is older', async () => {
    await settle({ count: 20_000, secondsAgo: 7_200 });
    await settle({ count: 50 });
    for (let other = 0; other < 5; other += 1) await createOrganization(database.db);
    await run(
      `INSERT INTO queue_stats
       SELECT id, queue, date_trunc('minute', now()) - n * interval '1 minute', 'k', 1, 0, '{1}', '{1}', '{1}', '{1}'
       FROM organizations, unnest('{default,scheduled}'::text[]) AS queue, generate_series(1, 2000) n`,
    );
    await run('ANALYZE');
    await run(`UPDATE upkeep_marks SET at = at - interval '11 seconds'`);
    const rolling = await planOf(database.db, rollQueueStats);
    expect(rolling).toContain('jobs_settled');
    expect(rolling).not.toContain('Seq Scan on jobs');
    expect(rolling).toContain('job_attempts_pkey');
    const reading = await planOf(database.db, (sql) => readQueueStats(sql, organizationId, ['default'], 15));
    // Both end with the window; which is shorter depends on how many organizations there are.
    expect(reading).toMatch(/queue_stats_(pkey|minute_idx)/);
    expect(reading).not.toContain('Seq Scan on queue_stats');
  });

  it('are forgotten when no window reaches them any more', async () => {
    await run(
      `INSERT INTO queue_stats SELECT $1, 'default', date_trunc('minute', now()) - n * interval '1 day', 'k', 1, 0, '{}', '{}', '{}', '{}'
       FROM generate_series(0, 5) n`,
      organizationId,
    );
    expect(await pruneQueueStats(database.db, 2)).toBe(2);
    expect(await pruneQueueStats(database.db, 100)).toBe(2);
    expect((await run('SELECT 1 FROM queue_stats')).rows).toHaveLength(2);
  });

  it('of a queue that nothing went through are zero', async () => {
    expect(await read(15, newUuid())).toMatchObject({
      finished: 0,
      failed: 0,
      wait: new Map(),
      run: new Map(),
    });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bucketOf, percentileMs } from '../../src/domain/histogram.ts';
import { newUuid } from '../../src/domain/ids.ts';
import { readPipelineDays, rollPipelineDays } from '../../src/repositories/pipeline-days.ts';
import { readLiveKinds } from '../../src/repositories/pipeline-live.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { seedJobs } from '../support/job-rows.ts';
import { createOrganization } from '../support/organization.ts';
import { planOf } from '../support/plan.ts';

const KINDS = new Map([
  ['k', ['k', 'k_of_old']],
  ['other', ['other']],
]);

describe('runs by kind and day', () => {
  let database: TestDatabase;
  let organizationId: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    organizationId = (await createOrganization(database.db, { timeZone: 'UTC' })).id;
  });
  afterEach(() => database.close());

  const run = (sql: string, ...values: unknown[]) => database.db.query<Record<string, unknown>>(sql, values);
  const mark = (at: string) =>
    run(`UPDATE upkeep_marks SET at = $1::timestamptz WHERE name = 'pipeline_days'`, at);
  /** What was settled within the ten days after a moment. */
  const rollFrom = async (at: string): Promise<void> => {
    await mark(at);
    for (let step = 0; step < 40; step += 1) await rollPipelineDays(database.db);
  };

  interface Settled {
    readonly at: string;
    readonly status?: string;
    readonly waitMs?: number;
    /** Null: it never started */
    readonly runMs?: number | null;
    readonly kind?: string;
    readonly internal?: boolean;
    readonly organization?: string;
    readonly count?: number;
  }
  const settle = (job: Settled) =>
    run(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts,
                         internal, created_at, started_at, completed_at)
       SELECT gen_random_uuid(), $1, $2, 1, $3::job_status, 'default', '{}', '\\x00', 'x', 3, $4,
              $7::timestamptz - make_interval(secs => $5::float8 + coalesce($6::float8, 0)), $7::timestamptz - make_interval(secs => $6::float8), $7::timestamptz
       FROM generate_series(1, $8::int)`,
      job.organization ?? organizationId,
      job.kind ?? 'k',
      job.status ?? 'completed',
      job.internal ?? false,
      (job.waitMs ?? 100) / 1_000,
      job.runMs === null ? null : (job.runMs ?? 1_000) / 1_000,
      job.at,
      job.count ?? 1,
    );
  const read = (
    from: string,
    to: string,
    { before = from, timeZone = 'UTC', organization = organizationId } = {},
  ) =>
    readPipelineDays(database.db, {
      organizationId: organization,
      kinds: KINDS,
      period: { from, to },
      before: { from: before, to: from },
      timeZone,
    });

  it('count each outcome on the day on which it came, under any name of the kind, and the days before apart', async () => {
    await settle({ at: '2026-03-01T23:59:59Z', count: 3 });
    await settle({ at: '2026-03-02T00:00:00Z', status: 'failed', runMs: 60_000 });
    await settle({ at: '2026-03-02T10:00:00Z', status: 'completed_with_warnings', kind: 'k_of_old' });
    await settle({ at: '2026-03-02T11:00:00Z', status: 'cancelled', runMs: null });
    await settle({ at: '2026-03-02T12:00:00Z', internal: true });
    await settle({ at: '2026-03-02T12:00:00Z', organization: (await createOrganization(database.db)).id });
    await rollFrom('2026-03-01T00:00:00Z');
    expect(await read('2026-03-02', '2026-03-03', { before: '2026-02-28' })).toEqual([
      {
        kind: 'k',
        days: [{ day: '2026-03-02', completed: 0, warned: 1, failed: 1, cancelled: 1 }],
        before: { completed: 3, warned: 0, failed: 0, cancelled: 0 },
        wait: new Map([[bucketOf(100), 2]]),
        run: new Map([[bucketOf(1_000), 1], [bucketOf(60_000), 1]]), // prettier-ignore
      },
      {
        kind: 'other',
        days: [],
        before: { completed: 0, warned: 0, failed: 0, cancelled: 0 },
        wait: new Map(),
        run: new Map(),
      },
    ]);
  });

  it('are added once, however often and by however many workers at once', async () => {
    await mark('2026-03-01T00:00:00Z');
    await settle({ at: '2026-03-01T05:00:00Z', count: 20 });
    await settle({ at: '2026-03-02T05:00:00Z', count: 7 });
    await Promise.all(Array.from({ length: 50 }, () => rollPipelineDays(database.db)));
    await settle({ at: '2026-03-12T06:00:00Z', count: 3 });
    for (let step = 0; step < 50; step += 1) await rollPipelineDays(database.db);
    const [figures] = await read('2026-03-01', '2026-03-31');
    expect(figures?.days.map(({ completed }) => completed)).toEqual([20, 7, 3]);
    expect(figures?.run).toEqual(new Map([[bucketOf(1_000), 30]]));
  });

  it('are shown at once, whether or not they are added up by then, and count once all the same', async () => {
    const now = new Date();
    const [at, today] = [now.toISOString(), now.toISOString().slice(0, 10)];
    await settle({ at, count: 2 });
    expect((await read('2026-01-01', today))[0]?.days).toMatchObject([{ completed: 2 }]);
    await mark(new Date(now.getTime() - 60_000).toISOString());
    await rollPipelineDays(database.db);
    expect((await read('2026-01-01', today))[0]?.days).toMatchObject([{ completed: 2 }]);
  });

  it("lie on the days of the organization's calendar, of 23 and of 25 hours too", async () => {
    const { id } = await createOrganization(database.db, { timeZone: 'Europe/Berlin' });
    // The clock goes forward in the night to 29 March: that day lasts from 23:00 to 22:00 UTC.
    for (const at of [
      '2026-03-28T22:59:59Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T21:59:59Z',
      '2026-03-29T22:00:00Z',
    ])
      await settle({ at, organization: id });
    // And back in the night to 25 October: from 22:00 to 23:00 UTC.
    for (const at of ['2026-10-24T22:00:00Z', '2026-10-25T22:59:59Z', '2026-10-25T23:00:00Z'])
      await settle({ at, organization: id });
    await rollFrom('2026-03-28T00:00:00Z');
    await rollFrom('2026-10-24T00:00:00Z');
    const [figures] = await read('2026-03-01', '2026-10-31', { timeZone: 'Europe/Berlin', organization: id });
    expect(figures?.days.map(({ day, completed }) => [day, completed])).toEqual([
      ['2026-03-28', 1],
      ['2026-03-29', 2],
      ['2026-03-30', 1],
      ['2026-10-25', 2],
      ['2026-10-26', 1],
    ]);
  });

  it('give percentiles within 10 % of the exact ones', async () => {
    const exact = Array.from({ length: 200 }, (_, index) => Math.round(20 * 1.04 ** index));
    for (const runMs of exact) await settle({ at: '2026-03-01T12:00:00Z', runMs });
    await rollFrom('2026-03-01T00:00:00Z');
    const [figures] = await read('2026-03-01', '2026-03-01');
    for (const share of [0.5, 0.95, 0.99]) {
      const wanted = exact[Math.ceil(share * exact.length) - 1] ?? 0;
      const found = percentileMs(figures?.run ?? new Map(), share) ?? 0;
      expect(Math.abs(found - wanted) / wanted).toBeLessThanOrEqual(0.1);
    }
  });

  it('are added up and read by indexes: neither reads what is older', async () => {
    await settle({ at: '2026-01-01T00:00:00Z', count: 20_000 });
    await run(
      `INSERT INTO pipeline_days
       SELECT $1, date '2026-01-01' + n, kind, 1, 1, 1, 1, '{"3": 4}', '{"4": 4}'
       FROM unnest('{k,other,third}'::text[]) AS kind, generate_series(0, 3000) AS n`,
      organizationId,
    );
    await run('ANALYZE');
    await run(`UPDATE upkeep_marks SET at = now() - interval '1 minute'`);
    const rolling = await planOf(database.db, rollPipelineDays);
    expect(rolling).toContain('jobs_settled');
    expect(rolling).not.toContain('Seq Scan on jobs');
    const reading = await planOf(database.db, (sql) =>
      readPipelineDays(sql, {
        organizationId,
        kinds: KINDS,
        period: { from: '2026-02-01', to: '2026-03-02' },
        before: { from: '2026-01-02', to: '2026-01-31' },
        timeZone: 'UTC',
      }),
    );
    expect(reading).toContain('pipeline_days_pkey');
    expect(reading).toContain('jobs_settled');
    expect(reading).not.toMatch(/Seq Scan on (jobs|pipeline_days)/);
    const live = await planOf(database.db, (sql) => readLiveKinds(sql, organizationId, KINDS, 10_000));
    expect(live).toContain('jobs_listed');
    expect(live).not.toContain('Seq Scan on jobs');
  });

  it('tell what a kind does now, and its newest job, of one organization', async () => {
    await seedJobs(database.db, organizationId, { count: 3, status: 'pending', kind: 'k' });
    const newest = await seedJobs(database.db, organizationId, {
      count: 2,
      status: 'running',
      kind: 'k_of_old',
    });
    expect(await readLiveKinds(database.db, organizationId, KINDS, 10)).toEqual(
      new Map([
        ['k', { kind: 'k', pending: 3, running: 2, lastJobId: newest[1] }],
        ['other', { kind: 'other', pending: 0, running: 0, lastJobId: null }],
      ]),
    );
    expect((await readLiveKinds(database.db, organizationId, KINDS, 1)).get('k')?.pending).toBe(2);
    expect((await readLiveKinds(database.db, newUuid(), KINDS, 10)).get('k')?.lastJobId).toBeNull();
  });
});

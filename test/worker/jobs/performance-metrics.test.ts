import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bucketMs, bucketOf } from '../../../src/domain/histogram.ts';
import { jobCatalogue } from '../../../src/jobs/index.ts';
import { performanceMetrics } from '../../../src/jobs/performance-metrics.ts';
import { startJob } from '../../../src/queue/start.ts';
import { providerFigures } from '../../../src/repositories/performance.ts';
import { openStorage } from '../../../src/storage/index.ts';
import { jobHandlers } from '../../../worker/jobs/index.ts';
import { measurePerformance } from '../../../worker/jobs/performance-metrics.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine } from '../../support/engine.ts';
import { createTestJob } from '../../support/job-context.ts';
import { settled } from '../../support/jobs.ts';
import { createOrganization, type TestOrganization } from '../../support/organization.ts';
import { planOf } from '../../support/plan.ts';

describe('a measurement', () => {
  let database: TestDatabase;
  let organization: TestOrganization;
  beforeEach(async () => {
    database = await createTestDatabase();
    organization = await createOrganization(database.db);
  });
  afterEach(() => database.close());

  const measure = async (input: object, now: string, of = organization) => {
    const storage = openStorage({ dataDir: '/nowhere' });
    const job = await createTestJob({
      db: database.db,
      storage,
      organization: of,
      kind: 'performance_metrics',
      input,
    });
    const { ctx, end } = await job.attempt();
    const parsed = performanceMetrics.input.parse(input);
    const output = await measurePerformance({ ...ctx, now: () => new Date(now) }, parsed);
    await end();
    return performanceMetrics.output.parse(output);
  };
  const addDay = (
    day: string,
    kind: string,
    [completed, warned, failed, cancelled]: readonly number[],
    runs: object,
  ) =>
    database.db.query(
      `INSERT INTO pipeline_days (organization_id, day, kind, completed, warned, failed, cancelled, waits, runs)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
      [organization.id, day, kind, completed, warned, failed, cancelled, runs],
    );
  const addProvider = (
    day: string,
    provider: string,
    [pages, failures]: readonly number[],
    latency: object,
  ) =>
    database.db.query(`INSERT INTO provider_days VALUES ($1, $2, $3, $4, $5, $6)`, [
      organization.id,
      provider,
      day,
      pages,
      failures,
      latency,
    ]);

  it('adds up outcomes, times and providers of the days, the slowest kind first', async () => {
    const [second, minute] = [bucketOf(1_000), bucketOf(60_000)];
    await addDay('2026-06-17', 'product_import', [60, 20, 20, 10], { [second]: 99, [minute]: 1 });
    await addDay('2026-06-16', 'connector_sync', [9, 0, 1, 0], { [minute]: 10 });
    await addDay('2026-06-15', 'connector_sync', [10, 0, 0, 0], { [minute]: 10 });
    await addDay('2026-05-18', 'connector_sync', [1_000, 0, 0, 0], { [minute]: 1_000 });
    await addProvider('2026-06-17', 'stripe', [10, 0], { [bucketOf(200)]: 10 });
    await addProvider('2026-06-16', 'stripe', [20, 10], { [bucketOf(200)]: 10, [bucketOf(5_000)]: 20 });
    await addProvider('2026-05-18', 'meta', [1, 1], {});
    const [secondMs, minuteMs] = [bucketMs(second), bucketMs(minute)];
    const output = await measure({}, '2026-06-17T10:00:00Z');
    expect(output).toMatchObject({ from: '2026-05-19', to: '2026-06-17' });
    expect(output.allJobs).toMatchObject({ runs: 130, succeeded: 99, failed: 21, successPercent: 82.5 });
    expect(output.allJobs.run).toEqual({ p50Ms: secondMs, p95Ms: minuteMs, p99Ms: minuteMs });
    expect(output.syncJobs).toMatchObject({ runs: 20, failed: 1, successPercent: 95 });
    expect(output.slowestKinds.map(({ kind, run }) => [kind, run?.p95Ms])).toEqual([
      ['CONNECTOR_SYNC', minuteMs],
      ['PRODUCT_IMPORT', secondMs],
    ]);
    expect(output.providers).toEqual([
      {
        provider: 'stripe',
        pages: 30,
        failures: 10,
        failurePercent: 25,
        latency: {
          p50Ms: bucketMs(bucketOf(200)),
          p95Ms: bucketMs(bucketOf(5_000)),
          p99Ms: bucketMs(bucketOf(5_000)),
        },
      },
    ]);
  });

  it('counts its days from the moment of the run, in the zone of the organization', async () => {
    await addDay('2026-06-18', 'product_import', [1, 0, 0, 0], {});
    // Just before and just after midnight in Berlin.
    const input = { period: { preset: 'TODAY' } };
    expect(await measure(input, '2026-06-17T21:59:59Z')).toMatchObject({
      from: '2026-06-17',
      allJobs: { runs: 0 },
    });
    expect(await measure(input, '2026-06-17T22:00:00Z')).toMatchObject({
      from: '2026-06-18',
      allJobs: { runs: 1 },
    });
  });

  it('of an organization where nothing ran says so, whatever ran elsewhere', async () => {
    await addDay('2026-06-17', 'product_import', [1, 0, 0, 0], { 4: 1 });
    await addProvider('2026-06-17', 'stripe', [1, 0], { 4: 1 });
    const none = { runs: 0, succeeded: 0, failed: 0, successPercent: null, wait: null, run: null };
    expect(await measure({}, '2026-06-17T10:00:00Z', await createOrganization(database.db))).toEqual({
      from: '2026-05-19',
      to: '2026-06-17',
      allJobs: none,
      syncJobs: none,
      slowestKinds: [],
      providers: [],
    });
  });

  it('reads days of providers by index', async () => {
    await database.db.query(
      `INSERT INTO provider_days SELECT $1, provider, date '2010-01-01' + n, 1, 0, '{"4": 1}'
       FROM unnest('{a,b,c}'::text[]) AS provider, generate_series(0, 6000) AS n`,
      [organization.id],
    );
    await database.db.query('ANALYZE');
    const plan = await planOf(database.db, (sql) =>
      providerFigures(sql, organization.id, { from: '2026-05-19', to: '2026-06-17' }),
    );
    expect(plan).toContain('provider_days_pkey');
  });
});

it('a measurement that a worker made is given to whoever asks for one that is young enough', async () => {
  const engine = await startEngine({ broker: 'postgres', catalogue: jobCatalogue, handlers: jobHandlers });
  try {
    await engine.startWorker();
    const request = {
      organizationId: engine.organization.id,
      kind: 'performance_metrics',
      input: { period: { days: 7 } },
      triggeredBy: 'api:test',
    };
    const { jobId } = await startJob(engine.jobs, request);
    const job = await settled(engine.database.db, jobId);
    expect(job).toMatchObject({ status: 'completed', result: { allJobs: { runs: 0 }, providers: [] } });
    const again = await startJob(engine.jobs, { ...request, options: { maxAgeSeconds: 3_600 } });
    expect(again).toMatchObject({ jobId, replayReason: 'CACHED' });
    expect((await startJob(engine.jobs, request)).jobId).not.toBe(jobId);
  } finally {
    await engine.close();
  }
});

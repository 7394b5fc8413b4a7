import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { toPublicId } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJobs } from '../support/job-rows.ts';
import { readsDuring } from '../support/statements.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({
    clock: { now: () => new Date('2026-06-17T09:00:00Z') },
    environment: { LIMIT_POINTS_PER_SECOND: '1000000' },
  });
  const add = (day: string, kind: string, counts: readonly number[], runs = {}) =>
    api.database.db.query(
      `INSERT INTO pipeline_days (organization_id, day, kind, completed, warned, failed, cancelled, waits, runs)
       VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', $8)`,
      [api.organization.id, day, kind, ...counts, runs],
    );
  await add('2026-06-17', 'product_import', [6, 1, 1, 2], { 41: 8 });
  await add('2026-06-15', 'product_import', [2, 0, 0, 0]);
  await add('2026-06-16', 'bulk_operation', [4, 0, 0, 0]);
  // The three days before, and one that is in neither period.
  await add('2026-06-14', 'product_import', [4, 0, 4, 0]);
  await add('2026-06-11', 'product_import', [100, 0, 0, 0]);
});
afterAll(() => api.close());

const RUNS = `outcomes { runs completed completedWithWarnings failed cancelled failurePercent } before { runs failurePercent }
  runsChangePercent failureChange wait { p50Ms } run { p50Ms p95Ms p99Ms } series { date outcomes { runs } }`;
const PIPELINES = `query ($period: PeriodInput, $kinds: [JobKind!]) { pipelines(period: $period, kinds: $kinds) {
  from to timeZone totals { ${RUNS} } kinds { kind ${RUNS} pending running lastJob { id status } } } }`;

const period = { days: 3 };
const answer = z.object({
  pipelines: z.looseObject({ kinds: z.array(z.looseObject({ kind: z.string(), lastJob: z.unknown() })) }),
});
const ask = async (variables: object, role: 'viewer' | 'stranger' = 'viewer') => {
  const { data, errors } = await api.ask(PIPELINES, variables, role);
  expect(errors).toEqual([]);
  return answer.parse(data).pipelines;
};

test('runs are told by kind and together, day by day and against as many days before', async () => {
  const { db } = api.database;
  await seedJobs(db, api.organization.id, {
    count: 2,
    status: 'pending',
    kind: 'product_import',
    due_in: 3_600,
  });
  const [running] = await seedJobs(db, api.organization.id, {
    count: 1,
    status: 'running',
    kind: 'product_import',
  });
  const found = await ask({ period, kinds: ['PRODUCT_IMPORT'] });
  const runs = {
    outcomes: {
      runs: 12,
      completed: 8,
      completedWithWarnings: 1,
      failed: 1,
      cancelled: 2,
      failurePercent: 10,
    },
    before: { runs: 8, failurePercent: 50 },
    runsChangePercent: 50,
    failureChange: -40,
    wait: null,
    run: { p50Ms: 1117, p95Ms: 1117, p99Ms: 1117 },
    series: [
      { date: '2026-06-15', outcomes: { runs: 2 } },
      { date: '2026-06-16', outcomes: { runs: 0 } },
      { date: '2026-06-17', outcomes: { runs: 10 } },
    ],
  };
  expect(found).toEqual({
    from: '2026-06-15',
    to: '2026-06-17',
    timeZone: 'Europe/Berlin',
    totals: runs,
    kinds: [
      {
        kind: 'PRODUCT_IMPORT',
        ...runs,
        pending: 2,
        running: 1,
        lastJob: { id: toPublicId('job', running ?? ''), status: 'RUNNING' },
      },
    ],
  });
});

test('every kind is told, also those that never ran, by as many statements as one', async () => {
  let all: Awaited<ReturnType<typeof ask>> | undefined;
  await seedJobs(api.database.db, api.organization.id, {
    count: 1,
    status: 'completed',
    kind: 'bulk_operation',
  });
  const ofOne = await readsDuring(() => ask({ period, kinds: ['PRODUCT_IMPORT'] }));
  const ofAll = await readsDuring(async () => (all = await ask({ period })));
  expect(all?.kinds.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['PRODUCT_IMPORT', 'BULK_OPERATION', 'WEEKLY_GROWTH']),
  );
  expect(all?.kinds.filter(({ lastJob }) => lastJob !== null)).toHaveLength(2);
  expect(all?.totals).toMatchObject({ outcomes: { runs: 16 } });
  expect(ofAll.length, ofAll.join('\n')).toBe(ofOne.length);
  expect(ofAll.length).toBeLessThanOrEqual(4);
});

test("runs are one organization's own", async () => {
  const found = await ask({ period, kinds: ['PRODUCT_IMPORT'] }, 'stranger');
  expect(found).toMatchObject({
    totals: { outcomes: { runs: 0, failurePercent: null }, runsChangePercent: null, run: null },
    kinds: [{ pending: 0, running: 0, lastJob: null }],
  });
});

test('no kinds are no runs', async () => {
  expect(await ask({ period, kinds: [] })).toMatchObject({ kinds: [], totals: { outcomes: { runs: 0 } } });
});

import { afterAll, afterEach, beforeEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { canonicalHash } from '../../src/lib/canonical-json.ts';
import { startApi, type TestApi, type TestRole } from '../support/api.ts';

/** At 11:00 in Berlin. */
const NOW = new Date('2026-06-17T09:00:00Z');
let now = NOW;

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ clock: { now: () => now }, environment: { LIMIT_POINTS_PER_SECOND: '1000000' } });
});
afterAll(() => api.close());
beforeEach(() => {
  now = NOW;
});
afterEach(() => api.database.db.query('DELETE FROM jobs'));

const GROWTH = `query ($weeks: Int, $maxAgeSeconds: Int) { weeklyGrowth(weeks: $weeks, maxAgeSeconds: $maxAgeSeconds) {
  state asOf failure { code message retryAt } refreshJob { id kind status triggeredBy } values { today metrics { name } } } }`;

const panel = z.object({
  state: z.string(),
  asOf: z.string().nullable(),
  failure: z.object({ code: z.string(), message: z.string(), retryAt: z.string().nullable() }).nullable(),
  refreshJob: z.object({ id: z.string(), kind: z.string(), status: z.string() }).nullable(),
  values: z.object({ today: z.string(), metrics: z.array(z.unknown()) }).nullable(),
});

async function ask(variables: object = {}, role: TestRole | 'stranger' = 'member') {
  const { data, errors } = await api.ask(GROWTH, variables, role);
  expect(errors).toEqual([]);
  return panel.parse(data?.['weeklyGrowth']);
}
const jobsThere = async (): Promise<number> => {
  const { rows } = await api.database.db.query<{ n: number }>(`SELECT count(*)::int AS n FROM jobs`);
  return rows[0]?.n ?? 0;
};

interface Run {
  readonly status: string;
  /** Seconds before the moment of the ask */
  readonly ago: number;
  readonly result?: object | null;
  readonly message?: string;
  readonly weeks?: number;
}
/** A run that has ended, as the engine leaves it. */
async function ran({
  status,
  ago,
  result = { from: '2026-03-30', today: '2026-06-17', metrics: [] },
  message,
  weeks = 12,
}: Run) {
  const at = new Date(NOW.getTime() - ago * 1_000);
  const id = newUuid();
  const input = { weeks };
  await api.database.db.query(
    `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, unique_key, result, error_code, error_message,
                       triggered_by, max_attempts, created_at, started_at, completed_at)
     VALUES ($1, $2, 'weekly_growth', 1, $3::job_status, 'default', $4, $5, $6, $7, $8, $9, 'api:test', 3, $10, $10, $10)`,
    [
      id,
      api.organization.id,
      status,
      JSON.stringify(input),
      canonicalHash('weekly_growth', input),
      canonicalHash('weekly_growth', input).toString('hex'),
      status === 'completed' ? JSON.stringify(result) : null,
      message ? 'INTERNAL' : null,
      message ?? null,
      at,
    ],
  );
  return { id: toPublicId('job', id), at: at.toISOString() };
}

describe('figures that a job makes', () => {
  test('are LOADING at the first ask, which starts the job; later asks start nothing more', async () => {
    const first = await ask();
    expect(first).toMatchObject({ state: 'LOADING', asOf: null, failure: null, values: null });
    expect(first.refreshJob).toMatchObject({ kind: 'WEEKLY_GROWTH', status: 'PENDING' });
    expect((await ask()).refreshJob?.id).toBe(first.refreshJob?.id);
    expect(await jobsThere()).toBe(1);
    // Other weeks are other figures, and the mutation's job is the same as the ask's.
    expect((await ask({ weeks: 4 })).refreshJob?.id).not.toBe(first.refreshJob?.id);
    const { data } = await api.ask(`mutation { startWeeklyGrowth(input: {}) { job { id } replayReason } }`);
    expect(data).toEqual({
      startWeeklyGrowth: { job: { id: first.refreshJob?.id }, replayReason: 'UNIQUE' },
    });
  });

  test('start one job when 50 ask at once', async () => {
    const readings = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(new Set(readings.map(({ refreshJob }) => refreshJob?.id)).size).toBe(1);
    expect(await jobsThere()).toBe(1);
  });

  test('are READY while young enough, and start nothing', async () => {
    const { at } = await ran({ status: 'completed', ago: 3_500 });
    expect(await ask()).toEqual({
      state: 'READY',
      asOf: at,
      failure: null,
      refreshJob: null,
      values: { today: '2026-06-17', metrics: [] },
    });
    expect(await jobsThere()).toBe(1);
  });

  test('are STALE when older, and made anew', async () => {
    await ran({ status: 'completed', ago: 3_500 });
    const stale = await ask({ maxAgeSeconds: 60 });
    expect(stale).toMatchObject({ state: 'STALE', failure: null, values: { today: '2026-06-17' } });
    expect(stale.refreshJob?.status).toBe('PENDING');
  });

  test('of yesterday are not those of today, however young', async () => {
    await ran({ status: 'completed', ago: 11 * 3_600 + 60 });
    const stale = await ask({ maxAgeSeconds: 86_400 });
    expect(stale.state).toBe('STALE');
    expect(stale.refreshJob).not.toBeNull();
  });

  test('that could not be made are FAILED with the reason, and tried again after a minute', async () => {
    const { at } = await ran({ status: 'failed', ago: 30, message: 'The database was away.' });
    const failed = await ask();
    expect(failed).toEqual({
      state: 'FAILED',
      asOf: null,
      values: null,
      refreshJob: null,
      failure: {
        code: 'INTERNAL',
        message: 'The database was away.',
        retryAt: new Date(Date.parse(at) + 60_000).toISOString(),
      },
    });
    now = new Date(NOW.getTime() + 31_000);
    expect((await ask()).refreshJob?.status).toBe('PENDING');
  });

  test('show older good ones as STALE when the last run failed or was cancelled', async () => {
    await ran({ status: 'completed', ago: 600 });
    await ran({ status: 'cancelled', ago: 30 });
    const stale = await ask();
    expect(stale).toMatchObject({ state: 'STALE', refreshJob: null, values: { metrics: [] } });
    expect(stale.failure?.message).toContain('cancelled');
    await ran({ status: 'completed', ago: 10 });
    expect((await ask()).state).toBe('READY');
  });

  test('that another release made in another shape are as none', async () => {
    await ran({ status: 'completed', ago: 60, result: { weeks: 'many' } });
    expect(await ask()).toMatchObject({ state: 'LOADING', values: null });
  });

  test('are for a viewer what there is, and start nothing', async () => {
    expect(await ask({}, 'viewer')).toMatchObject({ state: 'LOADING', refreshJob: null });
    await ran({ status: 'completed', ago: 7_200 });
    expect(await ask({}, 'viewer')).toMatchObject({ state: 'STALE', refreshJob: null });
    expect(await jobsThere()).toBe(1);
  });

  test("are one organization's own", async () => {
    await ran({ status: 'completed', ago: 60 });
    expect(await ask({}, 'stranger')).toMatchObject({ state: 'LOADING', values: null });
  });

  test.each([
    ['weeks', { weeks: 1 }],
    ['weeks', { weeks: 105 }],
    ['maxAgeSeconds', { maxAgeSeconds: -1 }],
  ])('refuse what is out of range and name it: %s', async (argument, variables) => {
    const { errors } = await api.ask(GROWTH, variables);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: [argument] });
    expect(await jobsThere()).toBe(0);
  });

  test.each([
    [{ days: 0 }],
    [{ days: 732 }],
    [{ range: { from: '2026-03-02', to: '2026-03-01' } }],
    [{ range: { from: '2020-01-01', to: '2026-03-01' } }],
  ])('refuse a period that is none: %j', async (period) => {
    const { errors } = await api.ask(
      'query ($period: PeriodInput) { performanceMetrics(period: $period) { state } }',
      { period },
    );
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
    const { data } = await api.ask(
      `mutation ($period: PeriodInput) { startPerformanceMetrics(input: { period: $period }) { job { id } userErrors { code field message } } }`,
      { period },
    );
    expect(data).toMatchObject({ startPerformanceMetrics: { job: null, userErrors: [{ code: 'INVALID' }] } });
  });
});

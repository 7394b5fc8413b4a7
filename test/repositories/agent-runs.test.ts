import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentRun } from '../../src/domain/agent-run.ts';
import { bucketOf } from '../../src/domain/histogram.ts';
import { dateIn } from '../../src/domain/period.ts';
import {
  agentFigures,
  agentPage,
  agentSeries,
  agentTotals,
  agentTotalSeries,
  countAgents,
} from '../../src/repositories/agent-figures.ts';
import { recordAgentRuns } from '../../src/repositories/agent-runs.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';
import { planOf } from '../support/plan.ts';

const TIME_ZONE = 'Europe/Berlin';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const newTenant = async (): Promise<string> =>
  (await createOrganization(database.db, { timeZone: TIME_ZONE })).id;

const record = (organizationId: string, runs: readonly AgentRun[]) =>
  recordAgentRuns(database.db, { organizationId, recordedBy: 'api:test' }, runs);

const run = (key: string, change: Partial<AgentRun> = {}): AgentRun => ({
  key,
  agent: 'writer',
  at: new Date('2026-06-01T12:00:00Z'),
  succeeded: true,
  durationMs: 1_000,
  tokens: 100,
  cost: { amount: '0.125', currency: 'EUR' },
  ...change,
});

/** All days of an organization, in one order. */
async function daysOf(organizationId: string): Promise<unknown[]> {
  const { rows } = await database.db.query<{ day: unknown }>(
    `SELECT jsonb_build_object('day', day, 'agent', agent, 'currency', currency, 'runs', runs, 'succeeded', succeeded,
              'tokens', tokens, 'cost', cost::text, 'durations', durations) AS day
     FROM agent_days WHERE organization_id = $1 ORDER BY agent_days.day, agent, currency`,
    [organizationId],
  );
  return rows.map(({ day }) => day);
}

/** The same from the runs as they are stored, by another statement. */
async function daysByRuns(organizationId: string): Promise<unknown[]> {
  const { rows } = await database.db.query<{ day: Record<string, unknown>; durations: number[] }>(
    `SELECT jsonb_build_object('day', (at AT TIME ZONE $2)::date, 'agent', agent, 'currency', currency, 'runs', count(*),
              'succeeded', sum(succeeded::int), 'tokens', sum(tokens),
              'cost', coalesce(sum(cost), 0)::numeric(30,6)::text) AS day, array_agg(duration_ms::float8) AS durations
     FROM agent_runs WHERE organization_id = $1
     GROUP BY (at AT TIME ZONE $2)::date, agent, currency ORDER BY (at AT TIME ZONE $2)::date, agent, currency`,
    [organizationId, TIME_ZONE],
  );
  return rows.map(({ day, durations }) => {
    const counts: Record<string, number> = {};
    for (const ms of durations) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
    return { ...day, durations: counts };
  });
}

const stored = async (organizationId: string): Promise<unknown[]> => {
  const { rows } = await database.db.query(
    `SELECT run_key, agent, at, day::text, succeeded, duration_ms, tokens, cost, currency FROM agent_runs
     WHERE organization_id = $1 ORDER BY run_key`,
    [organizationId],
  );
  return rows;
};

describe('runs of agents', () => {
  test('that are told twice count once, and the second time nothing is written', async () => {
    const tenant = await newTenant();
    const runs = [run('a'), run('b', { cost: null }), run('c', { agent: 'reader', succeeded: false })];
    expect(await record(tenant, runs)).toEqual({ recorded: 3, replaced: 0, unchanged: 0 });
    const before = await daysOf(tenant);
    const versions = await rowVersions(tenant);
    expect(await record(tenant, runs)).toEqual({ recorded: 0, replaced: 0, unchanged: 3 });
    expect(await daysOf(tenant)).toEqual(before);
    expect(await rowVersions(tenant)).toEqual(versions);
  });

  test('replace what was told before, and leave nothing of it on the day and agent that it had', async () => {
    const tenant = await newTenant();
    await record(tenant, [run('a'), run('b')]);
    const moved = run('a', {
      agent: 'reader',
      at: new Date('2026-07-05T12:00:00Z'),
      cost: { amount: '3', currency: 'JPY' },
    });
    expect(await record(tenant, [moved, run('c')])).toEqual({ recorded: 1, replaced: 1, unchanged: 0 });
    expect(await daysOf(tenant)).toEqual([
      expect.objectContaining({
        day: '2026-06-01',
        agent: 'writer',
        currency: 'EUR',
        runs: 2,
        cost: '0.250000',
      }),
      expect.objectContaining({
        day: '2026-07-05',
        agent: 'reader',
        currency: 'JPY',
        runs: 1,
        cost: '3.000000',
      }),
    ]);
  });

  test('count on the day of the organization’s calendar, also when the clock changes', async () => {
    const tenant = await newTenant();
    const moments = [
      '2026-03-28T22:59:59Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T21:59:59Z',
      '2026-03-29T22:00:00Z',
    ];
    await record(
      tenant,
      moments.map((at, index) => run(`${index}`, { at: new Date(at) })),
    );
    const days = (await daysOf(tenant)).map((day) => (day as { day: string }).day);
    expect(days).toEqual(['2026-03-28', '2026-03-29', '2026-03-30']);
    expect(new Set(moments.map((at) => dateIn(TIME_ZONE, new Date(at))))).toEqual(new Set(days));
  });

  test('that are told at once by many all count', async () => {
    const tenant = await newTenant();
    const batches = Array.from({ length: 12 }, (_, batch) =>
      Array.from({ length: 10 }, (_, n) => run(`${batch}-${n}`, { durationMs: n })),
    );
    // Each batch also tells of one run that all of them tell of, differently.
    await Promise.all(
      batches.map((batch, index) => record(tenant, [...batch, run('shared', { tokens: index + 1 })])),
    );
    expect(await stored(tenant)).toHaveLength(121);
    expect(await daysOf(tenant)).toEqual(await daysByRuns(tenant));
  });

  test('are counted in the same buckets as everywhere, at each border of a bucket too', async () => {
    const tenant = await newTenant();
    const borders = Array.from({ length: 139 }, (_, n) => Math.round(2 ** (n / 4)));
    const durations = [...new Set(borders.flatMap((ms) => [ms - 1, ms, ms + 1]))].filter(
      (ms) => ms <= 31_536_000_000,
    );
    await record(
      tenant,
      durations.map((durationMs, n) => run(`${n}`, { durationMs })),
    );
    expect(await daysOf(tenant)).toEqual(await daysByRuns(tenant));
  });

  test('in whatever order and however often they are told, add up to the same as one statement over all of them', async () => {
    const aRun = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      agent: fc.constantFrom('writer', 'reader', '', ' ').map((name) => `agent ${name}`),
      at: fc
        .constantFrom(
          '2026-03-28T22:30:00Z',
          '2026-03-29T01:30:00Z',
          '2026-03-29T22:00:00Z',
          '2026-10-25T00:30:00Z',
        )
        .map((at) => new Date(at)),
      succeeded: fc.boolean(),
      durationMs: fc.oneof(
        fc.nat({ max: 3 }),
        fc.nat({ max: 34 }).map((n) => 2 ** n),
        fc.nat({ max: 31_536_000_000 }),
      ),
      tokens: fc.nat({ max: 1_000_000_000_000 }),
      cost: fc.option(
        fc.record({
          amount: fc.constantFrom('0', '0.000001', '12.5', '999999999999999999.999999'),
          currency: fc.constantFrom('EUR', 'JPY'),
        }),
      ),
    });
    const batch = fc.uniqueArray(aRun, { selector: ({ key }) => key, minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 5 }), async (batches) => {
        const tenant = await newTenant();
        for (const runs of batches) await record(tenant, runs);
        for (const runs of batches.slice(-1)) await record(tenant, runs);
        expect(await daysOf(tenant)).toEqual(await daysByRuns(tenant));
        const last = new Map(batches.flat().map((each) => [each.key, each]));
        expect((await stored(tenant)).map((row) => (row as { agent: string }).agent)).toEqual(
          [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { agent }]) => agent),
        );
      }),
      { numRuns: 20 },
    );
  });
});

async function rowVersions(organizationId: string): Promise<unknown[]> {
  const { rows } = await database.db.query(
    `SELECT xmin::text FROM agent_runs WHERE organization_id = $1
     UNION ALL SELECT xmin::text FROM agent_days WHERE organization_id = $1`,
    [organizationId],
  );
  return rows;
}

describe('figures of agents', () => {
  test('are summed over days and currencies, by name, page by page', async () => {
    const tenant = await newTenant();
    const other = await newTenant();
    await record(other, [run('a', { agent: 'foreign' })]);
    await record(tenant, [
      run('1', { agent: 'a', durationMs: 100 }),
      run('2', { agent: 'a', durationMs: 100, succeeded: false, cost: { amount: '5', currency: 'JPY' } }),
      run('3', { agent: 'a', durationMs: 60_000, at: new Date('2026-06-02T12:00:00Z') }),
      run('4', { agent: 'b', cost: null }),
      run('5', { agent: 'c', at: new Date('2026-07-01T12:00:00Z') }),
    ]);
    const scope = { organizationId: tenant, from: '2026-06-01', to: '2026-06-30' };
    const first = await agentPage(database.db, scope, { after: null, limit: 1 });
    expect(first).toEqual([
      {
        name: 'a',
        runs: 3,
        succeeded: 2,
        tokens: 300,
        durations: new Map([
          [bucketOf(100), 2],
          [bucketOf(60_000), 1],
        ]),
        cost: [
          { amount: '0.25', currency: 'EUR' },
          { amount: '5', currency: 'JPY' },
        ],
      },
    ]);
    const next = await agentPage(database.db, scope, { after: 'a', limit: 10 });
    expect(next.map(({ name, cost }) => [name, cost])).toEqual([['b', []]]);
    expect(await countAgents(database.db, scope)).toBe(2);
    expect(await agentTotals(database.db, scope)).toMatchObject({ runs: 4, succeeded: 3, tokens: 400 });
    expect(await agentFigures(database.db, scope, 'a')).toEqual(first[0]);
    expect(await agentFigures(database.db, scope, 'c')).toBeNull();
    expect(await agentFigures(database.db, scope, 'foreign')).toBeNull();
    const series = await agentSeries(database.db, scope, ['a', 'b', 'foreign']);
    expect([...series.keys()]).toEqual(['a', 'b']);
    expect([...(series.get('a') ?? [])].map(([day, { runs }]) => [day, runs])).toEqual([
      ['2026-06-01', 2],
      ['2026-06-02', 1],
    ]);
    const all = await agentTotalSeries(database.db, scope);
    expect([...all].map(([day, { runs }]) => [day, runs])).toEqual([
      ['2026-06-01', 3],
      ['2026-06-02', 1],
    ]);
  });

  test('are read from the rollup’s index', async () => {
    const tenant = await newTenant();
    await database.db.query(
      `INSERT INTO agent_days (organization_id, day, agent, currency, runs, succeeded, tokens, cost, durations)
       SELECT o.id, DATE '2026-01-01' + d, 'agent ' || a, 'EUR', 1, 1, 1, 1, '{"10": 1}'
       FROM (SELECT id FROM organizations LIMIT 20) AS o, generate_series(0, 100) AS d, generate_series(1, 10) AS a
       ON CONFLICT DO NOTHING`,
    );
    await database.db.query('ANALYZE agent_days');
    const scope = { organizationId: tenant, from: '2026-02-01', to: '2026-02-10' };
    const plans = await Promise.all([
      planOf(database.db, (sql) => agentPage(sql, scope, { after: null, limit: 3 })),
      planOf(database.db, (sql) => countAgents(sql, scope)),
      planOf(database.db, (sql) => agentSeries(sql, scope, ['agent 1'])),
    ]);
    for (const plan of plans) {
      expect(plan).toContain('agent_days_pkey');
      expect(plan).not.toContain('Seq Scan on agent_days');
    }
  });
});

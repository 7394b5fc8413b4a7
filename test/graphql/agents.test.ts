import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, MillraceUserError } from '../../src/sdk/index.ts';
import { startApi, type TestApi, type TestRole } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const RECORD = `mutation ($input: RecordAgentActivityInput!) { it: recordAgentActivity(input: $input) {
  recorded replaced unchanged userErrors { code field message } } }`;
const FIGURES = 'runs succeeded successPercent tokens duration { p50Ms p95Ms } cost { amount currency }';
const AGENTS = `query ($period: PeriodInput, $first: Int, $after: String) { it: agents(period: $period, first: $first, after: $after) {
  from to totalCount pageInfo { hasNextPage endCursor } totals { ${FIGURES} series { date runs } }
  edges { node { name ${FIGURES} series { date ${FIGURES} } } } } }`;
const AGENT = `query ($name: String!, $period: PeriodInput) { it: agent(name: $name, period: $period) { name ${FIGURES} } }`;
const JUNE = { range: { from: '2026-06-01', to: '2026-06-30' } };

const run = (key: string, change: object = {}) => ({
  key,
  agent: 'writer',
  at: '2026-06-01T12:00:00Z',
  succeeded: true,
  durationMs: 1_000,
  tokens: 100,
  cost: { amount: '0.125', currency: 'EUR' },
  ...change,
});

interface Recorded {
  readonly recorded: number;
  readonly replaced: number;
  readonly unchanged: number;
  readonly userErrors: readonly {
    readonly code: string;
    readonly field: string[];
    readonly message: string;
  }[];
}

async function record(runs: readonly object[], role: TestRole | 'stranger' = 'member'): Promise<Recorded> {
  const { data, errors } = await api.ask(RECORD, { input: { runs } }, role);
  expect(errors).toEqual([]);
  return data?.['it'] as Recorded;
}

const countRuns = async (): Promise<number> => {
  const { rows } = await api.database.db.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM agent_runs',
  );
  return rows[0]?.count ?? 0;
};

describe('recordAgentActivity', () => {
  test('takes a thousand runs at once, and again changes nothing', async () => {
    const runs = Array.from({ length: 1_000 }, (_, n) =>
      run(`many ${n}`, { agent: `old ${n % 7}`, at: '2025-01-01T00:00:00Z' }),
    );
    expect(await record(runs)).toEqual({ recorded: 1_000, replaced: 0, unchanged: 0, userErrors: [] });
    expect(await record(runs)).toEqual({ recorded: 0, replaced: 0, unchanged: 1_000, userErrors: [] });
  });

  test('counts of two runs with the same key the later one', async () => {
    const twice = [
      run('twice', { agent: 'first' }),
      run('twice', { agent: 'second', at: '2025-01-01T00:00:00Z' }),
    ];
    expect(await record(twice)).toMatchObject({ recorded: 1 });
    const { rows } = await api.database.db.query("SELECT agent FROM agent_runs WHERE run_key = 'twice'");
    expect(rows).toEqual([{ agent: 'second' }]);
  });

  test.each([
    ['durationMs', { durationMs: -1 }],
    ['durationMs', { durationMs: 9_007_199_254_740_991 }],
    ['tokens', { tokens: -1 }],
    ['key', { key: '' }],
    ['key', { key: 'x'.repeat(501) }],
    ['agent', { agent: '' }],
    ['at', { at: '1999-12-31T00:00:00Z' }],
    ['at', { at: '2999-12-31T00:00:00Z' }],
    ['cost.amount', { cost: { amount: '-0.01', currency: 'EUR' } }],
    ['cost.amount', { cost: { amount: '0.0000001', currency: 'EUR' } }],
    ['cost.amount', { cost: { amount: `1${'0'.repeat(18)}`, currency: 'EUR' } }],
    ['cost.currency', { cost: { amount: '1', currency: 'eur' } }],
  ])('names a wrong %s by its place, and takes none of the runs', async (path, change) => {
    const before = await countRuns();
    const runs = [run('fine 1'), run('fine 2'), run('fine 3'), run('wrong', change)];
    const { userErrors, ...counts } = await record(runs);
    expect(userErrors.map(({ field }) => field)).toContainEqual(['input', 'runs', '3', ...path.split('.')]);
    expect(userErrors[0]?.message).toMatch(/^expected /);
    expect(counts).toEqual({ recorded: 0, replaced: 0, unchanged: 0 });
    expect(await countRuns()).toBe(before);
  });

  test('refuses none, and more than a thousand', async () => {
    expect((await record([])).userErrors).toMatchObject([{ code: 'INVALID', field: ['input', 'runs'] }]);
    const many = Array.from({ length: 1_001 }, (_, n) => run(`${n}`));
    expect((await record(many)).userErrors).toMatchObject([{ code: 'TOO_LARGE', field: ['input', 'runs'] }]);
  });

  test('is not for viewers', async () => {
    const { errors } = await api.ask(RECORD, { input: { runs: [run('v')] } }, 'viewer');
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', needs: 'RECORD_ACTIVITY' } }]);
  });

  test('of another organization with the same key is another run', async () => {
    await record([run('common', { agent: 'ours', at: '2024-01-01T00:00:00Z' })]);
    expect(
      await record([run('common', { agent: 'theirs', at: '2024-01-01T00:00:00Z' })], 'stranger'),
    ).toMatchObject({
      recorded: 1,
    });
    const year = { range: { from: '2024-01-01', to: '2024-12-31' } };
    const { data } = await api.ask(AGENTS, { period: year });
    expect(data?.['it']).toMatchObject({ totalCount: 1, edges: [{ node: { name: 'ours' } }] });
    expect((await api.ask(AGENT, { name: 'theirs', period: year })).data).toEqual({ it: null });
  });
});

describe('agents', () => {
  beforeAll(async () => {
    await record([
      run('1', { agent: 'a', durationMs: 100 }),
      run('2', { agent: 'a', succeeded: false, cost: { amount: '5', currency: 'JPY' } }),
      run('3', { agent: 'a', at: '2026-06-01T22:30:00Z', cost: null }),
      run('4', { agent: 'b', tokens: 3_000_000_000 }),
      run('5', { agent: 'c', at: '2026-07-01T12:00:00Z' }),
    ]);
  });

  test('are shown by name with their figures, day by day in the organization’s time zone', async () => {
    const { data, errors } = await api.ask(AGENTS, { period: JUNE, first: 1 }, 'viewer');
    expect(errors).toEqual([]);
    expect(data?.['it']).toMatchObject({
      from: '2026-06-01',
      to: '2026-06-30',
      totalCount: 2,
      pageInfo: { hasNextPage: true },
      totals: { runs: 4, succeeded: 3, successPercent: 75, tokens: 3_000_000_300 },
      edges: [
        {
          node: {
            name: 'a',
            runs: 3,
            succeeded: 2,
            cost: [
              { amount: '0.125', currency: 'EUR' },
              { amount: '5', currency: 'JPY' },
            ],
          },
        },
      ],
    });
    const { edges, totals } = data?.['it'] as {
      edges: {
        node: { duration: { p50Ms: number; p95Ms: number }; series: { date: string; runs: number }[] };
      }[];
      totals: { series: { date: string; runs: number }[] };
    };
    const { duration, series } = edges[0]?.node ?? { duration: { p50Ms: 0, p95Ms: 0 }, series: [] };
    expect(Math.abs(duration.p50Ms / 1_000 - 1)).toBeLessThan(0.1);
    expect(Math.abs(duration.p95Ms / 1_000 - 1)).toBeLessThan(0.1);
    expect(series).toHaveLength(30);
    expect(series.slice(0, 3)).toMatchObject([
      { date: '2026-06-01', runs: 2, successPercent: 50 },
      { date: '2026-06-02', runs: 1, cost: [] },
      { date: '2026-06-03', runs: 0, successPercent: null, duration: null },
    ]);
    expect(totals.series.slice(0, 2)).toEqual([
      { date: '2026-06-01', runs: 3 },
      { date: '2026-06-02', runs: 1 },
    ]);
  });

  test('come page by page, each once', async () => {
    const names: string[] = [];
    let after: string | null = null;
    for (;;) {
      const { data } = await api.ask(AGENTS, { period: JUNE, first: 1, after });
      const page = data?.['it'] as {
        edges: { node: { name: string } }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
      names.push(...page.edges.map(({ node }) => node.name));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(names).toEqual(['a', 'b']);
  });

  test('are refused for a period that is none, and a page that is too large', async () => {
    const wrong = await api.ask(AGENTS, { period: { days: 0 } });
    expect(wrong.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: ['period', 'days'] } },
    ]);
    const large = await api.ask(AGENTS, { first: 101 });
    expect(large.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('are told, listed and read by the SDK', async () => {
    const { agents } = createClient({ url: api.graphqlUrl, token: api.tokens.member });
    const at = '2023-05-01T12:00:00Z';
    expect(await agents.record([{ ...run('sdk'), agent: 'by sdk', at }])).toEqual({
      recorded: 1,
      replaced: 0,
      unchanged: 0,
    });
    const period = { range: { from: '2023-05-01', to: '2023-05-02' } };
    expect((await agents.list({ period })).edges.map(({ node }) => node.name)).toEqual(['by sdk']);
    expect(await agents.get('by sdk', period)).toMatchObject({ runs: 1, series: [{ runs: 1 }, { runs: 0 }] });
    expect(await agents.get('nobody', period)).toBeNull();
    await expect(agents.record([{ ...run('sdk'), tokens: -1 }])).rejects.toThrow(MillraceUserError);
  });
});

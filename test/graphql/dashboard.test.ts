import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { createYoga } from 'graphql-yoga';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { grantedTo } from '../../src/auth/permission.ts';
import type { GraphQLContext } from '../../src/graphql/context.ts';
import { schema } from '../../src/graphql/schema.ts';
import { panelRegistry } from '../../src/panels/index.ts';
import { NOT_CONNECTED } from '../../src/panels/panel.ts';
import type { PanelRegistry } from '../../src/panels/index.ts';
import {
  fakeClock,
  never,
  organization,
  panelsWith,
  ready,
  trafficLoad,
  trafficPanel,
  trafficValues,
} from '../panels/support.ts';

/** What a dashboard needs of an operation's context. */
type DashboardContext = Pick<GraphQLContext, 'principal' | 'panels' | 'clock'>;

const answer = z.object({
  data: z.record(z.string(), z.any()).nullish(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        path: z.array(z.union([z.string(), z.number()])).optional(),
        extensions: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
});

/** Panels of an organization that has connected nothing. */
const unconnected: PanelRegistry = {
  revenue: { ...panelRegistry.revenue, load: () => Promise.resolve(NOT_CONNECTED) },
  traffic: { ...panelRegistry.traffic, load: () => Promise.resolve(NOT_CONNECTED) },
  ads: { ...panelRegistry.ads, load: () => Promise.resolve(NOT_CONNECTED) },
  social: { ...panelRegistry.social, load: () => Promise.resolve(NOT_CONNECTED) },
  email: { ...panelRegistry.email, load: () => Promise.resolve(NOT_CONNECTED) },
  support: { ...panelRegistry.support, load: () => Promise.resolve(NOT_CONNECTED) },
};

function yogaWith(panels: Partial<PanelRegistry>) {
  const clock = fakeClock();
  const context: DashboardContext = {
    clock,
    panels: panelsWith({ panels: { ...unconnected, ...panels }, clock }),
    principal: {
      organization: { ...organization, name: 'Shop' },
      userId: null,
      credential: 'test',
      triggeredBy: 'api:test',
      role: 'viewer',
      permissions: grantedTo('viewer', []),
      expiresAt: null,
    },
  };
  return createYoga({ schema, context: () => ({ ...context }), plugins: [useDeferStream()], logging: false });
}

function post(panels: Partial<PanelRegistry>, query: string, accept: string) {
  return yogaWith(panels).fetch('http://test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
  });
}

async function ask(panels: Partial<PanelRegistry>, query: string) {
  const response = await post(panels, query, 'application/json');
  return answer.parse(await response.json());
}

const HEAD =
  'key state asOf failure { code message retryAt } refreshJob { id } sources { label state asOf included }';
const SIX = `{ dashboard {
  from to timeZone
  revenue { ${HEAD} gross { amount currency } orders series { date net { amount } orders } }
  traffic { ${HEAD} sessions pageviews users series { date sessions users pageviews } }
  ads { ${HEAD} spend { amount } impressions clicks conversions series { date spend { amount } impressions clicks } }
  social { ${HEAD} followers impressions engagements series { date followers } }
  email { ${HEAD} sent opens clicks unsubscribes series { date sent } }
  support { ${HEAD} opened solved open firstResponseMinutesMedian satisfactionPercent series { date opened } }
} }`;

const revenueOf = (orders: number): PanelRegistry['revenue'] => ({
  ...panelRegistry.revenue,
  load: () =>
    Promise.resolve({
      sources: [ready],
      refreshJobId: null,
      values: {
        gross: [{ amount: '12.50', currency: 'EUR' }],
        refunds: [{ amount: '0.00', currency: 'EUR' }],
        net: [{ amount: '12.50', currency: 'EUR' }],
        orders,
        series: [{ date: '2026-06-15', net: [{ amount: '12.50', currency: 'EUR' }], orders }],
      },
    }),
});

const throwing = trafficPanel(() => {
  throw new Error('secret: password of the provider');
});
const hanging = trafficPanel(never, 30);
const garbage = trafficPanel(() => ({ sources: [ready], refreshJobId: null, values: { sessions: 'many' } }));
const cyclic = trafficPanel(() => {
  const values: Record<string, unknown> = { ...trafficValues };
  values['series'] = [values];
  return { ...trafficLoad, values };
});

describe('a dashboard', () => {
  test('has six panels over 30 days; what has no source says so, with null values and empty lists', async () => {
    const { data, errors } = await ask({ revenue: revenueOf(1) }, SIX);
    expect(errors).toBeUndefined();
    expect(data?.['dashboard']).toMatchObject({
      from: '2026-05-17',
      to: '2026-06-15',
      timeZone: 'Europe/Berlin',
      revenue: {
        key: 'REVENUE',
        state: 'READY',
        asOf: '2026-06-15T11:00:00.000Z',
        gross: [{ amount: '12.50', currency: 'EUR' }],
        orders: 1,
        series: [{ date: '2026-06-15', net: [{ amount: '12.50' }], orders: 1 }],
        sources: [{ label: 'Shop analytics', state: 'READY', included: true }],
      },
      traffic: {
        key: 'TRAFFIC',
        state: 'NOT_CONNECTED',
        sessions: null,
        series: [],
        sources: [],
        refreshJob: null,
      },
      ads: { key: 'ADS', state: 'NOT_CONNECTED', spend: [], conversions: null },
      social: { key: 'SOCIAL', state: 'NOT_CONNECTED', followers: null },
      email: { key: 'EMAIL', state: 'NOT_CONNECTED', sent: null },
      support: { key: 'SUPPORT', state: 'NOT_CONNECTED', satisfactionPercent: null },
    });
  });

  test.each([
    ['throws', throwing, 'SOURCE_FAILED'],
    ['hangs', hanging, 'TIMEOUT'],
    ['returns garbage', garbage, 'INVALID_DATA'],
    ['returns itself within itself', cyclic, 'INVALID_DATA'],
  ])(
    'with a panel whose loader %s has that panel FAILED, no error, and the others whole',
    async (_what, traffic, code) => {
      const { data, errors } = await ask({ revenue: revenueOf(1), traffic }, SIX);
      expect(errors).toBeUndefined();
      expect(data?.['dashboard']).toMatchObject({
        revenue: { state: 'READY', orders: 1 },
        traffic: { state: 'FAILED', failure: { code }, sessions: null, series: [] },
        ads: { state: 'NOT_CONNECTED' },
      });
      expect(JSON.stringify(data)).not.toContain('secret');
    },
  );

  test('loads its panels side by side: one waits for another to begin', async () => {
    let begun: () => void = () => {};
    const adsBegan = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const ads: PanelRegistry['ads'] = {
      ...panelRegistry.ads,
      load: (...call) => {
        begun();
        return unconnected.ads.load(...call);
      },
    };
    const traffic = trafficPanel(() => adsBegan.then(() => trafficLoad));
    const { data } = await ask({ traffic, ads }, '{ dashboard { traffic { state } ads { state } } }');
    expect(data?.['dashboard']).toMatchObject({ traffic: { state: 'READY' } });
  });

  test('loads only the panels that are selected', async () => {
    let loads = 0;
    const traffic = trafficPanel(() => {
      loads += 1;
      return trafficLoad;
    });
    await ask({ traffic }, '{ dashboard { from ads { state } } }');
    expect(loads).toBe(0);
  });
});

describe('a value that GraphQL cannot serialise', () => {
  test('does not get there: the panel is FAILED with INVALID_DATA', async () => {
    const { data, errors } = await ask({ revenue: revenueOf(Number.NaN) }, SIX);
    expect(errors).toBeUndefined();
    expect(data?.['dashboard']).toMatchObject({
      revenue: { state: 'FAILED', failure: { code: 'INVALID_DATA' } },
    });
  });

  test('makes only its panel null, with an error whose path names it, even where a schema lets it pass', async () => {
    const unchecked: PanelRegistry['revenue'] = { ...revenueOf(Number.NaN), schema: z.any() };
    const { data, errors } = await ask({ revenue: unchecked, traffic: trafficPanel(() => trafficLoad) }, SIX);
    expect(data?.['dashboard']).toMatchObject({ revenue: null, traffic: { state: 'READY', sessions: 12 } });
    expect(errors?.map((error) => error.path?.slice(0, 2))).toContainEqual(['dashboard', 'revenue']);
    expect(errors?.every((error) => error.path?.[1] === 'revenue')).toBe(true);
  });
});

describe('a period', () => {
  test.each([
    ['{ days: 0 }', ['period', 'days'], 'period.days: expected 1 to 731 days, got 0'],
    [
      '{ range: { from: "2026-06-02", to: "2026-06-01" } }',
      ['period', 'range', 'to'],
      'period.range.to: expected a day not before 2026-06-02, got 2026-06-01',
    ],
    [
      '{ range: { from: "2020-01-01", to: "2026-01-01" } }',
      ['period', 'range'],
      'period.range: expected at most 731 days, got 2193 (2020-01-01 to 2026-01-01)',
    ],
  ])('%s is BAD_USER_INPUT that names the argument', async (period, argument, message) => {
    const { errors } = await ask({}, `{ dashboard(period: ${period}) { from } }`);
    expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT', argument } }]);
  });

  test.each([
    ['{ days: 7 }', '2026-06-09', '2026-06-15'],
    ['{ preset: LAST_MONTH }', '2026-05-01', '2026-05-31'],
    ['{ range: { from: "2024-02-29", to: "2024-02-29" } }', '2024-02-29', '2024-02-29'],
    ['null', '2026-05-17', '2026-06-15'],
  ])('%s is %s to %s', async (period, from, to) => {
    const { data } = await ask({}, `{ dashboard(period: ${period}) { from to } }`);
    expect(data?.['dashboard']).toEqual({ from, to });
  });

  test('takes exactly one of its fields', async () => {
    const { errors } = await ask({}, '{ dashboard(period: { days: 7, preset: TODAY }) { from } }');
    expect(errors).toHaveLength(1);
  });
});

test('with @defer the fast panels come first and the slow one follows', async () => {
  const query = `{ dashboard { ads { state } ... @defer { traffic { state failure { code } } } } }`;
  const response = await post({ traffic: hanging }, query, 'multipart/mixed');
  const body = await response.text();
  const [first, later] = [body.indexOf('"NOT_CONNECTED"'), body.indexOf('"TIMEOUT"')];
  expect(first).toBeGreaterThan(0);
  expect(later).toBeGreaterThan(first);
  expect(body.slice(first, later)).toContain('"hasNext":true');
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSource, order, refund, ticket, visits, writeFacts } from '../panels/feeding.ts';
import { fakeClock } from '../panels/support.ts';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ clock: fakeClock() });
});
afterAll(() => api.close());

const WEEK = '(period: { range: { from: "2026-06-08", to: "2026-06-14" } })';
const ask = async (selection: string): Promise<unknown> => {
  const { data, errors } = await api.ask(`{ dashboard${WEEK} { ${selection} } }`);
  expect(errors).toEqual([]);
  return data?.['dashboard'];
};

test('a panel tells the period before, of the same length, and what changed since', async () => {
  const { db } = api.database;
  const shop = await createSource(db, api.organization, 'revenue');
  await writeFacts(db, shop, [
    order('2026-06-01T12:00:00Z', '50'),
    order('2026-06-07T12:00:00Z', '50'),
    order('2026-05-31T12:00:00Z', '1000'),
    order('2026-06-08T12:00:00Z', '150'),
    order('2026-06-09T12:00:00Z', '500', 'JPY'),
    refund('2026-06-10T12:00:00Z', '20'),
  ]);
  expect(
    await ask(`revenue { orders before { from to figures { net { amount currency } orders }
      grossChangePercent { currency percent } netChangePercent { currency percent }
      refundsChangePercent { currency percent } ordersChangePercent } }`),
  ).toEqual({
    revenue: {
      orders: 2,
      before: {
        from: '2026-06-01',
        to: '2026-06-07',
        figures: { net: [{ amount: '100.00', currency: 'EUR' }], orders: 2 },
        grossChangePercent: [
          { currency: 'EUR', percent: 50 },
          { currency: 'JPY', percent: null },
        ],
        netChangePercent: [
          { currency: 'EUR', percent: 30 },
          { currency: 'JPY', percent: null },
        ],
        refundsChangePercent: [
          { currency: 'EUR', percent: null },
          { currency: 'JPY', percent: null },
        ],
        ordersChangePercent: 0,
      },
    },
  });
});

test('a change is null where the figure was 0 or is not known', async () => {
  const { db } = api.database;
  await writeFacts(db, await createSource(db, api.organization, 'traffic'), [
    visits('2026-06-07', [30, 90, 20]),
    visits('2026-06-08', [10, 90, 5]),
    visits('2026-06-14', [10, 90, 7], { windowDays: 7 }),
  ]);
  await writeFacts(db, await createSource(db, api.organization, 'support'), [
    ticket('2026-06-08T12:00:00Z', { satisfaction: 'good', solvedAt: '2026-06-09T12:00:00Z' }),
  ]);
  expect(
    await ask(`traffic { users before { figures { users } sessionsChangePercent pageviewsChangePercent usersChangePercent } }
      support { before { openedChangePercent openChangePercent satisfactionPercentChangePercent } }`),
  ).toEqual({
    traffic: {
      users: 7,
      before: {
        figures: { users: null },
        sessionsChangePercent: -66.67,
        pageviewsChangePercent: 0,
        usersChangePercent: null,
      },
    },
    support: {
      before: { openedChangePercent: null, openChangePercent: null, satisfactionPercentChangePercent: null },
    },
  });
});

test('a panel without values has no change, nor one at the beginning of the calendar', async () => {
  expect(await ask('ads { state before { spendChangePercent { percent } } }')).toEqual({
    ads: { state: 'NOT_CONNECTED', before: null },
  });
  const { data } = await api.ask(
    '{ dashboard(period: { range: { from: "0001-01-01", to: "0001-01-02" } }) { revenue { state before { from } } } }',
  );
  expect(data?.['dashboard']).toEqual({ revenue: { state: 'READY', before: null } });
});

test("the organization chooses what its revenue is counted from, and nobody else's", async () => {
  const { db } = api.database;
  const payments = await createSource(db, api.organization, 'payments', { label: 'Payments' });
  await writeFacts(db, payments, [order('2026-06-08T12:00:00Z', '7')]);
  const choose = (choice: string, role: 'admin' | 'member' = 'admin') =>
    api.ask(
      `mutation { updateOrganization(input: { revenueSources: ${choice} }) { organization { revenueSources } userErrors { code } } }`,
      {},
      role,
    );
  const orders = () => ask('revenue { orders }');
  expect(await orders()).toEqual({ revenue: { orders: 2 } });
  for (const [choice, count] of [
    ['ALL', 3],
    ['PAYMENTS', 1],
    ['SHOPS', 2],
    ['AUTO', 2],
  ] as const) {
    expect((await choose(choice)).data).toEqual({
      updateOrganization: { organization: { revenueSources: choice }, userErrors: [] },
    });
    expect(await orders()).toEqual({ revenue: { orders: count } });
  }
  expect((await choose('ALL', 'member')).errors).not.toEqual([]);
  expect((await api.ask('{ organization { revenueSources } }', {}, 'stranger')).data).toEqual({
    organization: { revenueSources: 'AUTO' },
  });
});

test('six panels and their changes get by with the connections of one pool', async () => {
  const six = ['revenue', 'traffic', 'ads', 'social', 'email', 'support'];
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      ask(six.map((panel) => `${panel} { state before { from } series { date } }`).join(' ')),
    ),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});

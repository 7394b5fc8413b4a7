import { afterEach, describe, expect, it } from 'vitest';
import { dateIn } from '../../src/domain/period.ts';
import {
  ACCOUNT,
  FROM,
  closeShopify,
  collect,
  factsOf,
  failureOf,
  idsOf,
  moneySet,
  openShopify,
  orderOf,
  ordersOf,
  refundOf,
  requireLast,
  withOrders,
} from '../support/providers/shopify-connection.ts';

afterEach(closeShopify);

describe('pages of orders', () => {
  it('come in the order of their changes, each with a cursor that goes on, until the last', async () => {
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(5)), pageSizeMax: 2 });
    const { pages } = await collect(pull());
    expect(idsOf(pages)).toEqual([1, 2, 3, 4, 5].map((number) => `gid://shopify/Order/${1_000 + number}`));
    expect(pages.map((page) => page.isLast)).toEqual([false, false, true]);
    expect(requireLast(pages).cursor).toEqual({ since: '2026-11-10T10:05:00.000Z', after: null });
    expect(mock.queries().map(({ variables }) => variables.filter)).toEqual(
      Array.from({ length: 3 }, () => "updated_at:>='2026-10-31T23:55:00Z'"),
    );
  });

  it('are one, empty and last, when nothing changed', async () => {
    const { pull } = await openShopify();
    const { pages } = await collect(pull());
    expect(pages).toEqual([
      {
        records: [],
        rejected: [],
        removed: [],
        cursor: { since: FROM.toISOString(), after: null },
        isLast: true,
        total: null,
        notes: [],
      },
    ]);
  });

  it('go on after the last run, with a trailing window against late indexing', async () => {
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(30)) });
    const first = await collect(pull());
    mock.shop.records.orders.push(orderOf(31));
    const second = await collect(pull({ after: requireLast(first.pages).cursor }));
    const expected = [25, 26, 27, 28, 29, 30, 31].map((number) => `gid://shopify/Order/${1_000 + number}`);
    expect(idsOf(second.pages)).toEqual(expected);
  });

  it('give an order again that changed while they were read', async () => {
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(4)), pageSizeMax: 2 });
    const seen: string[] = [];
    for await (const page of pull()) {
      seen.push(...idsOf([page]));
      if (seen.length === 2)
        mock.shop.records.orders[0] = orderOf(1, { updatedAt: '2026-11-20T11:59:00Z', name: 'changed' });
    }
    expect(seen.filter((id) => id === 'gid://shopify/Order/1001')).toHaveLength(2);
    expect(new Set(seen).size).toBe(4);
  });

  it('of a run that ended early are gone on with from the cursor of any of them, and none is lost', async () => {
    const { pull } = await openShopify({ records: withOrders(ordersOf(7)), pageSizeMax: 2 });
    const { pages } = await collect(pull());
    for (const [index, page] of pages.slice(0, -1).entries()) {
      const rest = await collect(pull({ after: page.cursor }));
      expect(idsOf(rest.pages)).toEqual(idsOf(pages.slice(index + 1)));
      expect(requireLast(rest.pages).cursor).toEqual(requireLast(pages).cursor);
    }
  });

  it('are read again from their beginning when Shopify no longer knows the stored cursor', async () => {
    const { pull } = await openShopify({ records: withOrders(ordersOf(3)) });
    const { pages } = await collect(pull({ after: { since: FROM.toISOString(), after: 'of-yesteryear' } }));
    expect(idsOf(pages)).toHaveLength(3);
  });

  it('do not go round in a circle when Shopify repeats a cursor', async () => {
    const { mock, pull } = await openShopify();
    const page = {
      json: { data: { orders: { pageInfo: { hasNextPage: true, endCursor: 'a' }, nodes: [] } } },
    };
    mock.next(page, page);
    const { pages, error } = await collect(pull());
    expect(pages).toHaveLength(1);
    expect(error?.kind).toBe('bad_request');
  });

  it('are asked with the cost of a query that Shopify still answers', async () => {
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(45)) });
    const { pages } = await collect(pull());
    expect(idsOf(pages)).toHaveLength(45);
    expect(mock.queries().map(({ variables }) => variables.first)).toEqual([26, 26]);
  });

  it('say so when Shopify answers by another version than the one asked', async () => {
    const { pull } = await openShopify({ apiVersion: '2027-01' });
    const { pages } = await collect(pull());
    expect(pages[0]?.notes).toEqual(['Shopify answered by its version 2027-01; we asked for 2026-10.']);
  });

  it('say once that older orders need a permission', async () => {
    const { pull } = await openShopify({ records: withOrders(ordersOf(3)), pageSizeMax: 2 });
    const account = { ...ACCOUNT, missingScopes: ['read_all_orders'] };
    const early = await collect(pull({ account, from: new Date('2026-01-01T00:00:00Z') }));
    expect(early.pages.map((page) => page.notes.length)).toEqual([1, 0]);
    expect(early.pages[0]?.notes[0]).toContain('read_all_orders');
    const recent = await collect(pull({ account }));
    expect(recent.pages.flatMap((page) => page.notes)).toEqual([]);
  });
});

describe('facts of orders', () => {
  it('are the sale on its day and each refund on its own', async () => {
    const order = orderOf(1, {
      processedAt: '2026-11-09T09:00:00+01:00',
      totalPriceSet: moneySet('120.5'),
      refunds: [refundOf(1, '20.0'), refundOf(2, '0.5', { processedAt: '2026-11-13T00:00:00Z' })],
    });
    const { pull } = await openShopify({ records: withOrders([order]) });
    const { pages } = await collect(pull());
    expect(factsOf(pages)).toEqual([
      {
        type: 'order',
        key: 'gid://shopify/Order/1001',
        at: new Date('2026-11-09T08:00:00Z'),
        currency: 'EUR',
        gross: '120.50',
        channel: 'Online Store',
        customerKey: 'gid://shopify/Customer/5',
        lines: [
          { productKey: 'gid://shopify/Product/1', product: 'Product 1', quantity: 1, amount: '25.00' },
        ],
      },
      {
        type: 'refund',
        key: 'gid://shopify/Refund/1',
        orderKey: 'gid://shopify/Order/1001',
        at: new Date('2026-11-12T08:00:00Z'),
        currency: 'EUR',
        amount: '20.00',
        lines: [
          { productKey: 'gid://shopify/Product/1', product: 'Product 1', quantity: 1, amount: '20.00' },
        ],
      },
      {
        type: 'refund',
        key: 'gid://shopify/Refund/2',
        orderKey: 'gid://shopify/Order/1001',
        at: new Date('2026-11-13T00:00:00Z'),
        currency: 'EUR',
        amount: '0.50',
        lines: [{ productKey: 'gid://shopify/Product/1', product: 'Product 1', quantity: 1, amount: '0.50' }],
      },
    ]);
  });

  it('leave test orders out and keep cancelled ones', async () => {
    const { pull } = await openShopify({
      records: withOrders([
        orderOf(1, { test: true, refunds: [refundOf(1)] }),
        orderOf(2, { cancelledAt: '2026-11-11T00:00:00Z' }),
      ]),
    });
    const { pages } = await collect(pull());
    expect(idsOf(pages)).toHaveLength(2);
    expect(factsOf(pages).map((fact) => fact.key)).toEqual(['gid://shopify/Order/1002']);
  });

  it('know neither channel nor customer where Shopify knows none', async () => {
    const { pull } = await openShopify({ records: withOrders([orderOf(1, { app: null, customer: null })]) });
    const { pages } = await collect(pull());
    expect(factsOf(pages)).toMatchObject([{ channel: null, customerKey: null }]);
  });

  it.each([
    ['JPY', '1000.0', '1000'],
    ['KWD', '1.234', '1.234'],
    ['EUR', '9007199254740993.01', '9007199254740993.01'],
  ])('hold amounts of %s exactly', async (currency, given, expected) => {
    const order = orderOf(1, { totalPriceSet: moneySet(given, currency) });
    const { pull } = await openShopify({ records: withOrders([order]) });
    const { pages } = await collect(pull());
    expect(factsOf(pages)).toMatchObject([{ gross: expected, currency }]);
  });

  it('fall on the day of the shop, half an hour before its midnight', async () => {
    const { pull } = await openShopify({
      records: withOrders([orderOf(1, { processedAt: '2026-11-09T22:30:00Z' })]),
    });
    const { pages } = await collect(pull());
    const [fact] = factsOf(pages);
    if (fact?.type !== 'order') throw new Error('expected an order');
    expect(dateIn(ACCOUNT.timeZone ?? '', fact.at)).toBe('2026-11-09');
    expect(dateIn('Asia/Tokyo', fact.at)).toBe('2026-11-10');
  });

  it('hold every refund of an order that has more than a page shows', async () => {
    const refunds = Array.from({ length: 12 }, (_, index) => refundOf(index + 1));
    const { mock, pull } = await openShopify({ records: withOrders([orderOf(1, { refunds }), orderOf(2)]) });
    const { pages } = await collect(pull());
    expect(factsOf(pages).filter((fact) => fact.type === 'refund')).toHaveLength(12);
    expect(mock.queries().map(({ name }) => name)).toEqual(['Orders', 'OrderRefunds', 'Refunds']);
  });
});

describe('check()', () => {
  it('tells whose shop it is, by one request', async () => {
    const { mock, connection } = await openShopify();
    expect(await connection.check(new AbortController().signal)).toEqual(ACCOUNT);
    expect(mock.requests).toHaveLength(1);
  });

  it('names the permissions that are missing; who may write may read', async () => {
    const { connection } = await openShopify({ scopes: ['write_orders', 'read_products'] });
    const { missingScopes } = await connection.check(new AbortController().signal);
    expect(missingScopes).toEqual(['read_all_orders', 'read_customers']);
  });

  it('fails when the token is wrong', async () => {
    const { connection } = await openShopify({ credentials: { accessToken: 'shpat_first_but_wrong' } });
    const error = await failureOf(connection.check(new AbortController().signal));
    expect(error.kind).toBe('auth_expired');
  });
});

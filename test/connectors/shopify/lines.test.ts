import { afterEach, describe, expect, it } from 'vitest';
import type { ProductLine } from '../../../src/domain/facts.ts';
import type { PulledPage } from '../../../src/connectors/connector.ts';
import {
  ACCOUNT,
  closeShopify,
  collect,
  factsOf,
  lineOf,
  linesOf,
  moneySet,
  openShopify,
  orderOf,
  productOf,
  refundLineOf,
  refundOf,
  withOrders,
} from '../../support/providers/shopify-connection.ts';

afterEach(closeShopify);

const WITHOUT_PRODUCTS = { ...ACCOUNT, missingScopes: ['read_products'] };

/** By the key of the order or refund. */
function linesByKey(pages: readonly PulledPage[]): Map<string, readonly ProductLine[]> {
  const moneyed = factsOf(pages).filter((fact) => fact.type === 'order' || fact.type === 'refund');
  return new Map(moneyed.map(({ key, lines = [] }) => [key, lines]));
}

const orderKey = (number: number): string => `gid://shopify/Order/${1_000 + number}`;
const refundKey = (number: number): string => `gid://shopify/Refund/${number}`;
const productKeys = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `gid://shopify/Product/${index + 1}`);
const refundsOf = (first: number, count: number, more: Readonly<Record<string, unknown>> = {}) =>
  Array.from({ length: count }, (_, index) => refundOf(first + index, '1.0', more));
const off = (amount: string) => ({ allocatedAmountSet: moneySet(amount) });

async function linesOfOrder(lineItems: readonly unknown[]): Promise<readonly ProductLine[] | undefined> {
  const { pull } = await openShopify({ records: withOrders([orderOf(1, { lineItems })]) });
  return linesByKey((await collect(pull())).pages).get(orderKey(1));
}

describe('lines of an order', () => {
  it('are of its products, after every discount, those of the whole order among them', async () => {
    const lines = await linesOfOrder([
      lineOf(1, { quantity: 3, originalTotalSet: moneySet('30.0') }),
      lineOf(2, { originalTotalSet: moneySet('20.0'), discountAllocations: [off('2.5'), off('1.75')] }),
    ]);
    expect(lines).toEqual([
      { productKey: 'gid://shopify/Product/1', product: 'Product 1', quantity: 3, amount: '30.00' },
      { productKey: 'gid://shopify/Product/2', product: 'Product 2', quantity: 1, amount: '15.75' },
    ]);
  });

  it('of the same product are one, added up exactly', async () => {
    const lines = await linesOfOrder([
      lineOf(1, { quantity: 2, originalTotalSet: moneySet('0.1') }),
      lineOf(2, { product: productOf(1), originalTotalSet: moneySet('0.2') }),
      lineOf(3, { product: productOf(1), originalTotalSet: moneySet('9007199254740993.005') }),
    ]);
    expect(lines).toEqual([
      {
        productKey: 'gid://shopify/Product/1',
        product: 'Product 1',
        quantity: 4,
        amount: '9007199254740993.305',
      },
    ]);
  });

  it('of a product that is gone, or never was one, go by their title; without one they are no product’s', async () => {
    const lines = await linesOfOrder([
      lineOf(1, { title: 'Lantern', product: null }),
      lineOf(2, { title: ' Lantern ', product: null }),
      lineOf(3, { title: 'x'.repeat(600), product: null }),
      lineOf(4, { title: ' ', product: null }),
      lineOf(5, { title: '' }),
    ]);
    const [lantern, long, untitled] = lines ?? [];
    expect(lantern).toEqual({ productKey: 'Lantern', product: 'Lantern', quantity: 2, amount: '50.00' });
    expect(long?.productKey).toBe('x'.repeat(500));
    expect(untitled).toMatchObject({ productKey: 'gid://shopify/Product/5', product: '' });
    expect(lines).toHaveLength(3);
  });

  it('have as many digits as their currency', async () => {
    const lineItems = [lineOf(1, { originalTotalSet: moneySet('1000.0', 'JPY') })];
    const order = orderOf(1, { totalPriceSet: moneySet('1000.0', 'JPY'), lineItems });
    const { pull } = await openShopify({ records: withOrders([order]) });
    const { pages } = await collect(pull());
    expect(linesByKey(pages).get(orderKey(1))).toMatchObject([{ amount: '1000' }]);
  });

  it('in another currency than the order’s are no product’s', async () => {
    const foreign = lineOf(2, { originalTotalSet: moneySet('9.0', 'USD') });
    expect(await linesOfOrder([lineOf(1), foreign])).toMatchObject([{ product: 'Product 1' }]);
  });

  it('are read to their end where a page shows fewer, of several orders by one query', async () => {
    const lengths = [4, 5, 21, 20, 6, 0];
    const orders = lengths.map((length, index) => orderOf(index + 1, { lineItems: linesOf(length) }));
    const { mock, pull } = await openShopify({ records: withOrders(orders) });
    const lines = linesByKey((await collect(pull())).pages);
    lengths.forEach((length, index) => {
      const keys = lines.get(orderKey(index + 1))?.map(({ productKey }) => productKey);
      expect(keys).toEqual(productKeys(length));
    });
    expect(mock.queries().map(({ name }) => name)).toEqual(['Orders', 'OrderLines']);
  });

  it('are the first 1,000 of more', async () => {
    const { mock, pull } = await openShopify({
      records: withOrders([orderOf(1, { lineItems: linesOf(1_050) })]),
    });
    const lines = linesByKey((await collect(pull())).pages).get(orderKey(1));
    expect(lines?.map(({ productKey }) => productKey)).toEqual(productKeys(1_000));
    // 4 with the page, then 70 a query
    expect(mock.requests).toHaveLength(16);
  });
});

describe('lines of refunds', () => {
  it('are what was brought back', async () => {
    const refundLineItems = [
      refundLineOf(1, '4.5'),
      refundLineOf(2, '0.25', { product: productOf(1) }),
      refundLineOf(3, '2.0', { title: 'Tip', product: null }),
    ];
    const order = orderOf(1, { refunds: [refundOf(1, '9.0', { refundLineItems }), refundOf(2)] });
    const { pull } = await openShopify({ records: withOrders([order]) });
    const lines = linesByKey((await collect(pull())).pages);
    expect(lines.get(refundKey(1))).toEqual([
      { productKey: 'gid://shopify/Product/1', product: 'Product 1', quantity: 2, amount: '4.75' },
      { productKey: 'Tip', product: 'Tip', quantity: 1, amount: '2.00' },
    ]);
    expect(lines.get(refundKey(2))).toMatchObject([{ productKey: 'gid://shopify/Product/1' }]);
  });

  it('are read to their end where fewer are shown', async () => {
    const refundLineItems = Array.from({ length: 30 }, (_, index) => refundLineOf(index + 1));
    const refunds = [refundOf(1, '30.0', { refundLineItems }), refundOf(2)];
    const { mock, pull } = await openShopify({ records: withOrders([orderOf(1, { refunds })]) });
    const lines = linesByKey((await collect(pull())).pages);
    expect(lines.get(refundKey(1))?.map(({ productKey }) => productKey)).toEqual(productKeys(30));
    expect(lines.get(refundKey(2))).toHaveLength(1);
    expect(mock.queries().map(({ name }) => name)).toEqual(['Orders', 'Refunds', 'Refunds']);
  });

  it('come with each of the refunds of an order that has many', async () => {
    const orders = [orderOf(1, { refunds: refundsOf(1, 45) }), orderOf(2, { refunds: refundsOf(50, 2) })];
    const { mock, pull } = await openShopify({ records: withOrders(orders) });
    const { pages } = await collect(pull());
    const refunds = factsOf(pages).filter((fact) => fact.type === 'refund');
    expect(refunds.filter((fact) => fact.orderKey === orderKey(1))).toHaveLength(45);
    expect(refunds.filter((fact) => fact.orderKey === orderKey(2))).toHaveLength(2);
    expect(refunds.every(({ lines }) => lines?.length === 1)).toBe(true);
    const names = ['Orders', 'OrderRefunds', 'Refunds', 'Refunds', 'Refunds'];
    expect(mock.queries().map(({ name }) => name)).toEqual(names);
  });

  it('of a whole page of orders cost one query more', async () => {
    const orders = Array.from({ length: 26 }, (_, index) =>
      orderOf(index + 1, { refunds: index < 10 ? refundsOf(2 * index + 1, 2) : [] }),
    );
    const { mock, pull } = await openShopify({ records: withOrders(orders) });
    const { pages } = await collect(pull());
    expect(factsOf(pages).filter((fact) => fact.type === 'refund')).toHaveLength(20);
    expect(mock.requests).toHaveLength(2);
  });
});

describe('without the permission to read products', () => {
  const order = orderOf(1, { lineItems: linesOf(6), refunds: refundsOf(1, 1) });
  const scopes = ['read_orders', 'read_all_orders', 'read_customers'];

  it('lines go by their titles, and people are told', async () => {
    const { pull } = await openShopify({ records: withOrders([order]), scopes });
    const { pages, error } = await collect(pull({ account: WITHOUT_PRODUCTS }));
    expect(error).toBeNull();
    const lines = linesByKey(pages);
    expect(lines.get(orderKey(1))?.map(({ productKey }) => productKey)).toEqual(
      linesOf(6).map(({ title }) => title),
    );
    expect(lines.get(refundKey(1))).toMatchObject([{ productKey: 'Product 1', product: 'Product 1' }]);
    expect(pages[0]?.notes).toEqual([
      'Products are known by their titles alone, unless Shopify grants read_products.',
    ]);
  });

  it('which nobody knew to be missing, it is named', async () => {
    const { pull } = await openShopify({ records: withOrders([order]), scopes });
    const { error } = await collect(pull());
    expect(error).toMatchObject({ kind: 'forbidden_scope', scope: 'read_products' });
  });
});

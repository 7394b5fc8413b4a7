import { afterEach, describe, expect, it } from 'vitest';
import {
  NOW,
  closeShopify,
  collect,
  idsOf,
  lineOf,
  moneySet,
  openShopify,
  orderOf,
  pageOf,
  refundOf,
  requireLast,
  withOrders,
} from '../../support/providers/shopify-connection.ts';

afterEach(closeShopify);

describe('records', () => {
  it('with values that we do not know are kept', async () => {
    const { mock, pull } = await openShopify();
    mock.next(pageOf([orderOf(1, { displayFinancialStatus: 'PAID_IN_SHELLS', sourceName: 'beach' })]));
    const { pages } = await collect(pull());
    expect(pages[0]?.records[0]?.data).toMatchObject({ displayFinancialStatus: 'PAID_IN_SHELLS' });
  });

  it('that make no sense are rejected, and the others kept', async () => {
    const refunded = orderOf(3, { refunds: [refundOf(1, 'NaN')] });
    const { mock, pull } = await openShopify({ records: withOrders([refunded]) });
    mock.next(
      pageOf([
        orderOf(1, { totalPriceSet: moneySet('12,50') }),
        orderOf(2, { totalPriceSet: moneySet('12.50', 'USDC') }),
        refunded,
        orderOf(4, { processedAt: '2026-02-30T00:00:00Z' }),
        null,
        orderOf(5),
        orderOf(6, { lineItems: [lineOf(1, { quantity: -1 })] }),
      ]),
    );
    const { pages } = await collect(pull());
    expect(idsOf(pages)).toEqual(['gid://shopify/Order/1005']);
    expect(pages[0]?.rejected.map(({ key }) => key)).toEqual([
      'gid://shopify/Order/1001',
      'gid://shopify/Order/1002',
      'gid://shopify/Order/1003',
      'gid://shopify/Order/1004',
      'record 5',
      'gid://shopify/Order/1006',
    ]);
    expect(pages[0]?.rejected[0]?.message).toContain('totalPriceSet');
  });

  it('with a change in the future move the cursor no further than now', async () => {
    const { pull } = await openShopify({
      records: withOrders([orderOf(1, { updatedAt: '2030-01-01T00:00:00Z' })]),
    });
    const { pages } = await collect(pull());
    expect(requireLast(pages).cursor).toEqual({ since: NOW.toISOString(), after: null });
  });

  it('of products and customers are kept without facts', async () => {
    const moments = { createdAt: '2026-11-02T00:00:00Z', updatedAt: '2026-11-03T00:00:00Z' };
    const product = {
      id: 'gid://shopify/Product/1',
      handle: 'rope',
      title: 'Rope',
      status: 'ACTIVE',
      vendor: 'Tide',
      productType: '',
      tags: ['hemp'],
      totalInventory: 3,
      ...moments,
    };
    const customer = {
      id: 'gid://shopify/Customer/5',
      numberOfOrders: '2',
      amountSpent: { amount: '50.0', currencyCode: 'EUR' },
      ...moments,
    };
    const { pull } = await openShopify({
      records: { orders: [], products: [product], customers: [customer] },
    });
    const cursor = { since: '2026-11-03T00:00:00.000Z', after: null };
    const products = await collect(pull({ entity: 'products' }));
    expect(products.pages).toMatchObject([
      { records: [{ id: product.id, data: product, facts: [] }], cursor },
    ]);
    const customers = await collect(pull({ entity: 'customers' }));
    expect(customers.pages).toMatchObject([
      { records: [{ id: customer.id, data: customer, facts: [] }], cursor },
    ]);
  });
});

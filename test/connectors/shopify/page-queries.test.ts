import { afterEach, describe, expect, it } from 'vitest';
import {
  NOW,
  closeShopify,
  collect,
  factsOf,
  idsOf,
  lineOf,
  linesOf,
  moneySet,
  openShopify,
  orderOf,
  ordersOf,
  pageOf,
  refundLineOf,
  refundOf,
  withOrders,
} from '../../support/providers/shopify-connection.ts';
import { waitFor } from '../../support/wait.ts';

afterEach(closeShopify);

/** 4 of its lines come with the page, then 70 a query at 283 points: after the third query there are no 500 left. */
const LONG = orderOf(1, { lineItems: linesOf(200) });
const bucketOf = (restoreRate: number) => ({
  maximumAvailable: 1_000,
  currentlyAvailable: 1_000,
  restoreRate,
});

describe('what is asked besides a page', () => {
  it('never costs more than comes back soon, nor the page more than Shopify answers', async () => {
    const discountAllocations = Array.from({ length: 3 }, () => ({ allocatedAmountSet: moneySet('0.1') }));
    const lineItems = linesOf(40).map((line) => ({ ...line, discountAllocations }));
    const refundLineItems = Array.from({ length: 12 }, (_, index) => refundLineOf(index + 1));
    const orders = ordersOf(26).map((order, at) => ({
      ...order,
      lineItems,
      refunds: Array.from({ length: 4 }, (_, index) =>
        refundOf(10 * at + index, '12.0', { refundLineItems }),
      ),
    }));
    const { mock, pull } = await openShopify({ records: withOrders(orders) });
    const { pages, error } = await collect(pull());
    expect(error).toBeNull();
    const [page = 0, ...besides] = mock.queries().map(({ points }) => points);
    expect(page).toBeLessThanOrEqual(1_000);
    expect(Math.max(...besides)).toBeLessThanOrEqual(500);
    const facts = factsOf(pages).filter((fact) => fact.type === 'order' || fact.type === 'refund');
    expect(facts.filter(({ type, lines }) => type === 'order' && lines?.length === 40)).toHaveLength(26);
    expect(facts.filter(({ type, lines }) => type === 'refund' && lines?.length === 12)).toHaveLength(104);
  });

  it('waits for points, and is never throttled', async () => {
    const { mock, pull } = await openShopify({ records: withOrders([LONG]), bucket: bucketOf(400) });
    const { pages } = await collect(pull());
    expect(factsOf(pages)).toMatchObject([{ lines: { length: 200 } }]);
    expect(mock.requests).toHaveLength(4);
  });

  it('comes later where points are slow to come back', async () => {
    const { pull } = await openShopify({ records: withOrders([LONG]), bucket: bucketOf(0.01) });
    const { pages, error } = await collect(pull());
    expect(pages).toEqual([]);
    expect(error?.kind).toBe('rate_limited');
    // 25 points for the page and 283 for each of two queries leave 409.
    expect(error?.resumeAt).toEqual(new Date(NOW.getTime() + 9_100_000));
  });

  it('leaves the next page to wait for what all of it has taken', async () => {
    const orders = [orderOf(1, { lineItems: linesOf(70) }), ...ordersOf(30).slice(1)];
    const { mock, pull } = await openShopify({ records: withOrders(orders), bucket: bucketOf(0.01) });
    const { pages, error } = await collect(pull());
    expect(idsOf(pages)).toHaveLength(26);
    expect(mock.requests).toHaveLength(2);
    // The page left 700 of 990 for the next one, and the lines 433.
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date(NOW.getTime() + 55_700_000) });
  });

  it('is over within a second when the pull is aborted', async () => {
    const { mock, pull } = await openShopify({ records: withOrders([LONG]), bucket: bucketOf(20) });
    const controller = new AbortController();
    const ended = expect(collect(pull({ signal: controller.signal }))).rejects.toThrow('enough');
    await waitFor(() => mock.requests.length === 3);
    const start = performance.now();
    controller.abort(new Error('enough'));
    await ended;
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(mock.requests).toHaveLength(3);
  });

  it.each([
    ['order', { lineItems: linesOf(6) }],
    ['refund', { refunds: [refundOf(1)] }],
    ['order', { refunds: [refundOf(1), refundOf(2), refundOf(3)] }],
  ])('fails the page, for now, when the %s is gone meanwhile: %#', async (what, more) => {
    const { mock, pull } = await openShopify({ records: withOrders([orderOf(1, more), orderOf(2)]) });
    mock.shop.onQuery = () => {
      if (mock.requests.length > 1) mock.shop.records.orders = [orderOf(2)];
    };
    const { pages, error } = await collect(pull());
    expect(pages).toEqual([]);
    expect(error).toMatchObject({
      kind: 'transient',
      message: `Shopify named one ${what} and does not give it.`,
    });
    expect(idsOf((await collect(pull())).pages)).toEqual([orderOf(2).id]);
  });

  it('fails the page, for now, when Shopify is down', async () => {
    const { mock, pull } = await openShopify();
    const down = { status: 503, json: { errors: 'Unavailable' } };
    const page = pageOf([orderOf(1, { refunds: [refundOf(1)] })]);
    mock.next(page, ...Array.from({ length: 5 }, () => down));
    const { pages, error } = await collect(pull());
    expect(pages).toEqual([]);
    expect(error?.kind).toBe('transient');
  });

  it.each([
    ['without any', []],
    ['from where it began', [lineOf(5)]],
  ])('does not go round in a circle when Shopify promises more lines %s', async (_what, nodes) => {
    const { mock, pull } = await openShopify();
    const lineItems = { pageInfo: { hasNextPage: true, endCursor: 'a' }, nodes: [lineOf(1)] };
    const more = { ...lineItems, nodes, pageInfo: { ...lineItems.pageInfo, endCursor: 'b' } };
    mock.next(pageOf([orderOf(1, { lineItems })]));
    const answer = { json: { data: { _0: { lineItems: more } } } };
    mock.next(answer, answer);
    const { error } = await collect(pull());
    expect(error?.kind).toBe('bad_request');
  });
});

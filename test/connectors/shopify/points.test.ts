import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PulledPage } from '../../../src/connectors/connector.ts';
import { throttled } from '../../support/providers/shopify.ts';
import {
  CLIENT,
  NOW,
  closeShopify,
  collect,
  failureOf,
  idsOf,
  openShopify,
  ordersOf,
  requireLast,
  withOrders,
} from '../../support/providers/shopify-connection.ts';
import { waitFor } from '../../support/wait.ts';

afterEach(closeShopify);

describe('when there are no points', () => {
  it('for a moment, the pull waits and goes on', async () => {
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(1)) });
    mock.next(throttled({ requested: 802, available: 790, restoreRate: 100 }));
    const { pages } = await collect(pull());
    expect(idsOf(pages)).toHaveLength(1);
    expect(mock.requests).toHaveLength(2);
  });

  it('for long, the pull ends and says when to come again; the next one loses nothing', async () => {
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(5)), pageSizeMax: 2 });
    const first: PulledPage[] = [];
    const run = async (): Promise<void> => {
      for await (const page of pull()) {
        first.push(page);
        mock.next(throttled({ requested: 802, available: 2, restoreRate: 100 }));
      }
    };
    const error = await failureOf(run());
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date(NOW.getTime() + 8_000) });
    const second = await collect(pull({ after: requireLast(first).cursor }));
    expect([...idsOf(first), ...idsOf(second.pages)]).toEqual(ordersOf(5).map(({ id }) => id));
  });

  it('left for the next page, the pull pauses before it asks, and is never throttled', async () => {
    const bucket = { maximumAvailable: 1_000, currentlyAvailable: 991, restoreRate: 50 };
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(3)), pageSizeMax: 2, bucket });
    const { pages } = await collect(pull());
    expect(idsOf(pages)).toHaveLength(3);
    expect(mock.requests).toHaveLength(2);
  });

  it('left for long, the pull ends after the page at hand, before it is throttled', async () => {
    const bucket = { maximumAvailable: 1_000, currentlyAvailable: 1_000, restoreRate: 1 };
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(50)), bucket });
    const first = await collect(pull());
    expect(idsOf(first.pages)).toHaveLength(26);
    expect(first.error?.kind).toBe('rate_limited');
    // 26 orders took 288 points of 1,000, and 990 are wanted for the next page: 278 s at 1 point a second.
    expect(first.error?.resumeAt).toEqual(new Date(NOW.getTime() + 278_000));
    expect(mock.requests).toHaveLength(1);
    bucket.currentlyAvailable = 1_000;
    const second = await collect(pull({ after: requireLast(first.pages).cursor }));
    expect(idsOf([...first.pages, ...second.pages])).toEqual(ordersOf(50).map(({ id }) => id));
  });

  it.each([429, 430])('HTTP %i with Retry-After says when to come again', async (status) => {
    const { mock, pull } = await openShopify();
    mock.next({ status, headers: { 'retry-after': '60' }, json: { errors: 'Exceeded' } });
    const { error } = await collect(pull());
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date(NOW.getTime() + 60_000) });
  });

  it('HTTP 429 without it is tried again', async () => {
    const { mock, pull } = await openShopify();
    mock.next({ status: 429, json: { errors: 'Exceeded' } });
    expect((await collect(pull())).pages).toHaveLength(1);
  });
});

describe('an abort', () => {
  it.each([
    ['waits for points', throttled({ requested: 802, available: 400, restoreRate: 100 })],
    [
      'pauses before a page',
      {
        json: {
          data: { orders: { pageInfo: { hasNextPage: true, endCursor: 'a' }, nodes: [] } },
          ...(throttled({ requested: 802, available: 400, restoreRate: 100 }).json as object),
          errors: undefined,
        },
      },
    ],
  ])('ends a pull that %s within a second', async (_name, answer) => {
    const { mock, pull } = await openShopify();
    mock.next(answer);
    const controller = new AbortController();
    const pages = collect(pull({ signal: controller.signal }));
    const ended = expect(pages).rejects.toThrow('enough');
    await waitFor(() => mock.requests.length === 1);
    const start = performance.now();
    controller.abort(new Error('enough'));
    await ended;
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(mock.requests).toHaveLength(1);
  });

  it('while the access is renewed ends the pull, and the new access is stored all the same', async () => {
    const controller = new AbortController();
    const { pull, stored } = await openShopify({
      credentials: CLIENT,
      onReplace: () => Promise.resolve(controller.abort(new Error('enough'))),
    });
    await expect(collect(pull({ signal: controller.signal }))).rejects.toThrow('enough');
    await vi.waitFor(() => expect(stored()).toMatchObject({ accessToken: 'shpat_token-1' }));
  });
});

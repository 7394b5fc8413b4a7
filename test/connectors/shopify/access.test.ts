import { afterEach, describe, expect, it, vi } from 'vitest';
import { shopify } from '../../../src/connectors/shopify.ts';
import {
  ACCOUNT,
  CLIENT,
  NOW,
  closeShopify,
  collect,
  failureOf,
  idsOf,
  openShopify,
  ordersOf,
  withOrders,
} from '../../support/providers/shopify-connection.ts';
import { waitFor } from '../../support/wait.ts';

afterEach(closeShopify);

describe('access', () => {
  const offline = {
    ...CLIENT,
    accessToken: 'shpat_first',
    expiresAt: '2026-11-20T12:30:00Z',
    refreshToken: 'shprt_first',
  };
  const renewed = {
    ...CLIENT,
    accessToken: 'shpat_token-1',
    expiresAt: '2026-11-20T13:00:00.000Z',
    refreshToken: 'shprt_refresh-1',
  };

  it('that ends in the middle of a run is renewed, and nothing is lost', async () => {
    const events: string[] = [];
    const { mock, pull, stored } = await openShopify({
      credentials: offline,
      refreshToken: 'shprt_first',
      records: withOrders(ordersOf(5)),
      pageSizeMax: 2,
      onQuery: (token) => events.push(`used ${token}`),
      async onReplace() {
        // Nobody asks anything while the new access is not stored.
        const known = mock.requests.length;
        await expect(waitFor(() => mock.requests.length > known, { timeoutMs: 100 })).rejects.toThrow(
          'waited',
        );
        events.push('stored');
      },
    });
    const seen: string[] = [];
    for await (const page of pull()) {
      seen.push(...idsOf([page]));
      if (seen.length === 2) mock.shop.tokens.clear();
    }
    expect(seen).toEqual(ordersOf(5).map(({ id }) => id));
    expect(stored()).toEqual(renewed);
    expect(events).toEqual(['used shpat_first', 'stored', 'used shpat_token-1', 'used shpat_token-1']);
  });

  it('that is about to end is renewed before it is used, once for all who need it', async () => {
    const credentials = { ...offline, expiresAt: '2026-11-20T12:04:00Z' };
    const { mock, connection, stored } = await openShopify({ credentials, refreshToken: 'shprt_first' });
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 5 }, () => connection.check(signal)));
    expect(mock.shop.exchanges).toBe(1);
    expect(stored()).toEqual(renewed);
    expect(mock.requests[0]?.path).toBe('/admin/oauth/access_token');
  });

  it.each([
    ['while we asked', 1, 0],
    ['while we renewed it', 3, 1],
  ])('that another process renewed %s is taken over', async (_when, oldReads, exchanges) => {
    const { mock } = await openShopify({ tokens: new Set([renewed.accessToken]) });
    const reads: unknown[] = Array.from({ length: oldReads }, () => offline);
    const connection = shopify.open({
      config: { shop: 'tide-and-tar' },
      credentials: {
        read: () => Promise.resolve(reads.shift() ?? renewed),
        replace: () => Promise.reject(new Error('nothing was to be replaced')),
      },
      clock: { now: () => NOW },
      baseUrl: mock.url,
    });
    expect(await connection.check(new AbortController().signal)).toEqual(ACCOUNT);
    expect(mock.requests.filter(({ path }) => path === '/admin/oauth/access_token')).toHaveLength(exchanges);
  });

  it('that another process stored while we renewed it is used, and not ours', async () => {
    const winners = { ...renewed, accessToken: 'shpat_winner', refreshToken: 'shprt_winner' };
    const used: string[] = [];
    const { mock } = await openShopify({
      refreshToken: 'shprt_first',
      onQuery: (token) => used.push(token),
    });
    const stored = { current: { ...offline, expiresAt: '2026-11-20T11:00:00Z' } };
    const connection = shopify.open({
      config: { shop: 'tide-and-tar' },
      credentials: {
        read: () => Promise.resolve(stored.current),
        replace() {
          stored.current = winners;
          mock.shop.tokens.add(winners.accessToken);
          return Promise.resolve(false);
        },
      },
      clock: { now: () => NOW },
      baseUrl: mock.url,
    });
    expect(await connection.check(new AbortController().signal)).toEqual(ACCOUNT);
    expect(new Set(used)).toEqual(new Set(['shpat_winner']));
    expect(stored.current).toBe(winners);
    expect(mock.shop.exchanges).toBe(1);
  });

  it('that cannot be renewed has expired', async () => {
    const { mock, pull, stored } = await openShopify({ credentials: offline, refreshToken: 'shprt_another' });
    mock.shop.tokens.clear();
    const { error } = await collect(pull());
    expect(error).toMatchObject({
      kind: 'auth_expired',
      message: 'Shopify refused to renew the access (invalid_grant).',
    });
    expect(stored()).toEqual(offline);
  });

  it('that cannot be renewed for now may be later', async () => {
    const credentials = { ...offline, expiresAt: '2026-11-20T11:00:00Z' };
    const { mock, pull, stored } = await openShopify({ credentials, refreshToken: 'shprt_first' });
    mock.next({ status: 503, text: 'Unavailable' });
    expect((await collect(pull())).pages).toHaveLength(1);
    expect(stored()).toEqual(renewed);
  });

  it('of an app in one’s own store begins with its client credentials alone, and lasts a day', async () => {
    const { mock, pull, stored } = await openShopify({ credentials: CLIENT });
    expect((await collect(pull())).pages).toHaveLength(1);
    expect(stored()).toEqual({
      ...CLIENT,
      accessToken: 'shpat_token-1',
      expiresAt: '2026-11-21T11:59:59.000Z',
    });
    mock.shop.tokens.clear();
    expect((await collect(pull())).pages).toHaveLength(1);
    expect(mock.shop.exchanges).toBe(2);
  });

  it('by a wrong client secret is none', async () => {
    const credentials = { ...CLIENT, clientSecret: 'shpss_client_secret_of_another' };
    const { pull } = await openShopify({ credentials });
    const { error } = await collect(pull());
    expect(error).toMatchObject({
      kind: 'auth_expired',
      message: 'Shopify refused to renew the access (invalid_client).',
    });
  });

  it('by a token that was taken away is none, and nothing is asked again', async () => {
    const { mock, pull } = await openShopify();
    mock.shop.tokens.clear();
    const { error } = await collect(pull());
    expect(error?.kind).toBe('auth_expired');
    expect(mock.requests).toHaveLength(1);
  });

  it('by a token of the kind that Shopify gave up has expired', async () => {
    const { mock, pull } = await openShopify();
    const errors = 'Non-expiring access tokens are no longer accepted for the Admin API.';
    mock.next({ status: 403, json: { errors } });
    expect((await collect(pull())).error?.kind).toBe('auth_expired');
  });

  it.each([
    ['orders', 'read_orders'],
    ['products', 'read_products'],
    ['customers', 'read_customers'],
  ])('to %s without permission names the missing %s', async (entity, scope) => {
    const { pull } = await openShopify({ scopes: [] });
    const { error } = await collect(pull({ entity }));
    expect(error).toMatchObject({ kind: 'forbidden_scope', scope });
  });

  it('denied by status names the scope, where Shopify does', async () => {
    const { mock, pull } = await openShopify();
    const errors = '[API] This action requires merchant approval for read_orders scope.';
    mock.next({ status: 403, json: { errors } });
    expect((await collect(pull())).error).toMatchObject({ kind: 'forbidden_scope', scope: 'read_orders' });
  });
});

describe('configuration and credentials', () => {
  it.each(['tide-and-tar', 'a', 'Tide', '7'])('a shop is a label: %s', (shop) => {
    expect(shopify.config.parse({ shop })).toEqual({ shop: shop.toLowerCase() });
  });

  it.each(['', 'a.b', 'a/b', 'tide.myshopify.com', 'https://a', 'a:1', 'a@b', '-a', 'a-', 'a'.repeat(64)])(
    'a shop is no address: %s',
    (shop) => {
      expect(shopify.config.safeParse({ shop }).success).toBe(false);
    },
  );

  it('goes to Shopify’s own domain when nothing else is said', async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (url: URL) => {
      asked.push(url.href);
      return Promise.reject(new Error('not in a test'));
    });
    const connection = shopify.open({
      config: { shop: 'tide-and-tar' },
      credentials: {
        read: () => Promise.resolve({ accessToken: 'shpat_first' }),
        replace: () => Promise.resolve(true),
      },
      clock: { now: () => NOW },
      backoff: { baseMs: 1, maxMs: 1 },
    });
    await failureOf(connection.check(new AbortController().signal));
    vi.unstubAllGlobals();
    expect(new Set(asked)).toEqual(
      new Set(['https://tide-and-tar.myshopify.com/admin/api/2026-10/graphql.json']),
    );
  });

  it('credentials keep what belongs to them, and a text that no header holds is none', () => {
    const parse = (given: unknown) => shopify.credentials.safeParse(given);
    const all = { ...CLIENT, accessToken: 'a', expiresAt: NOW.toISOString(), refreshToken: 'r' };
    expect(parse(all).data).toEqual(all);
    expect(parse(CLIENT).data).toEqual(CLIENT);
    expect(parse({ accessToken: 'a' }).data).toEqual({ accessToken: 'a' });
    expect(parse({ accessToken: 'a\nb' }).success).toBe(false);
    expect(parse({ accessToken: 'a', refreshToken: 'r' }).success).toBe(false);
  });
});

import { createHmac } from 'node:crypto';
import { Authorization } from './authorization.ts';
import { GRAPHQL_PATH, readQuery, shopifyContract } from './shopify-contract.ts';
import { startMockServer, type MockAnswer, type MockRequest, type MockServer } from './mock-server.ts';
import { Refused, ShopifyReader, type ShopifyData } from './shopify-reader.ts';

type Json = Readonly<Record<string, unknown>>;

/** Whatever the shop has. */
export interface ShopifyShop extends ShopifyData {
  /** Access tokens that are good now */
  readonly tokens: Set<string>;
  /** The one refresh token that is good now */
  refreshToken: string | null;
  readonly app: { readonly clientId: string; readonly clientSecret: string };
  /** Tokens for the next exchanges are `token-1`, `token-2`, …; how many there were */
  exchanges: number;
  /** Points; they come back with time, from the first request on */
  bucket: { maximumAvailable: number; currentlyAvailable: number; restoreRate: number };
  /** Told of every query before it is answered */
  onQuery: (token: string) => void;
  apiVersion: string;
}

export interface ShopifyMock extends MockServer {
  readonly shop: ShopifyShop;
  /** Where a person allows access */
  readonly authorization: Authorization;
  /** What was asked for */
  queries(): AskedQuery[];
}

interface AskedQuery {
  /** Of the operation */
  readonly name: string;
  readonly variables: Json;
  /** What it could have cost */
  readonly points: number;
}

const TOKEN_PATH = '/admin/oauth/access_token';

export async function startShopify(given: Partial<ShopifyShop> = {}): Promise<ShopifyMock> {
  const shop: ShopifyShop = {
    shop: {
      id: 'gid://shopify/Shop/7',
      name: 'Tide & Tar',
      currencyCode: 'EUR',
      ianaTimezone: 'Europe/Berlin',
    },
    scopes: ['read_orders', 'read_all_orders', 'read_products', 'read_customers'],
    records: { orders: [], products: [], customers: [] },
    tokens: new Set(['shpat_first']),
    refreshToken: null,
    app: { clientId: 'client-id', clientSecret: 'shpss_client_secret' },
    exchanges: 0,
    bucket: { maximumAvailable: 20_000, currentlyAvailable: 20_000, restoreRate: 1_000 },
    pageSizeMax: 250,
    onQuery: () => undefined,
    apiVersion: '2026-10',
    ...given,
  };
  const restore = restoring(shop);
  const authorization = authorizationOf(shop);
  const server = await startMockServer({
    contract: await shopifyContract(),
    handle: (request) => {
      restore();
      if (request.path === '/admin/oauth/authorize') return authorization.authorize(request);
      if (request.method !== 'POST') return { status: 405, text: 'Method not allowed' };
      if (request.path === TOKEN_PATH) return exchange(shop, request, authorization);
      if (request.path === GRAPHQL_PATH) return answerQuery(shop, request);
      return { status: 404, json: { errors: 'Not Found' } };
    },
  });
  return Object.assign(server, {
    shop,
    authorization,
    queries: () => server.requests.flatMap((request) => queryOf(shop, request)),
  });
}

/** Shopify's refusal of a query for which there are no points. */
export function throttled(points: { requested: number; available: number; restoreRate: number }): MockAnswer {
  const { requested, available: currentlyAvailable, restoreRate } = points;
  return {
    json: {
      errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
      extensions: {
        cost: {
          requestedQueryCost: requested,
          actualQueryCost: null,
          throttleStatus: { maximumAvailable: 2_000, currentlyAvailable, restoreRate },
        },
      },
    },
  };
}

function restoring({ bucket }: ShopifyShop): () => void {
  let last: number | null = null;
  return () => {
    const now = performance.now();
    last ??= now;
    const restored = bucket.currentlyAvailable + ((now - last) / 1_000) * bucket.restoreRate;
    bucket.currentlyAvailable = Math.min(bucket.maximumAvailable, Math.floor(restored));
    last = now;
  };
}

/** Signs all that it sends people back with, by name, and never says by which scheme it was asked. */
function authorizationOf({ app, scopes }: ShopifyShop): Authorization {
  return new Authorization({
    clientId: app.clientId,
    scope: scopes.join(','),
    knowsPkce: false,
    sign(query) {
      query.set('shop', 'tide-and-tar.myshopify.com');
      query.set('timestamp', '1795608000');
      query.sort();
      const signed = [...query].map(([name, value]) => `${name}=${value}`).join('&');
      query.set('hmac', createHmac('sha256', app.clientSecret).update(signed).digest('hex'));
    },
  });
}

function exchange(shop: ShopifyShop, request: MockRequest, authorization: Authorization): MockAnswer {
  const form = new URLSearchParams(request.body);
  const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded';
  const { clientId, clientSecret } = shop.app;
  if (!isForm || form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret)
    return refusal('invalid_client', request.body);
  const grant = form.get('grant_type');
  if (grant === 'refresh_token') {
    if (shop.refreshToken === null || form.get('refresh_token') !== shop.refreshToken)
      return refusal('invalid_grant', request.body);
  } else if (grant === null && form.get('expiring') === '1') {
    if (!authorization.redeem(Object.fromEntries(form))) return refusal('invalid_request', request.body);
  } else if (grant !== 'client_credentials') return refusal('unsupported_grant_type', request.body);
  shop.exchanges += 1;
  const token = `shpat_token-${shop.exchanges}`;
  shop.tokens.clear();
  shop.tokens.add(token);
  const shared = { access_token: token, scope: shop.scopes.join(',') };
  if (grant === 'client_credentials') return { json: { ...shared, expires_in: 86_399 } };
  shop.refreshToken = `shprt_refresh-${shop.exchanges}`;
  const refresh = { refresh_token: shop.refreshToken, refresh_token_expires_in: 7_776_000 };
  return { json: { ...shared, expires_in: 3_600, ...refresh } };
}

/** Tells more than Shopify would: what it was sent. */
function refusal(error: string, body: string): MockAnswer {
  return { status: 400, json: { error, error_description: `refused: ${body}` } };
}

function queryOf(shop: ShopifyShop, request: MockRequest): AskedQuery[] {
  if (request.path !== GRAPHQL_PATH) return [];
  const { operation, variables } = readQuery(request);
  const points = new ShopifyReader(shop, variables).costOf(operation.selectionSet);
  return [{ name: operation.name?.value ?? '', variables, points }];
}

function answerQuery(shop: ShopifyShop, request: MockRequest): MockAnswer {
  const headers = { 'x-request-id': 'request-7', 'x-shopify-api-version': shop.apiVersion };
  const token = request.headers['x-shopify-access-token'] ?? '';
  if (!shop.tokens.has(token)) {
    const errors = '[API] Invalid API key or access token (unrecognized login or wrong password)';
    return { status: 401, headers, json: { errors } };
  }
  shop.onQuery(token);
  try {
    const { operation, variables } = readQuery(request);
    const reader = new ShopifyReader(shop, variables);
    const requested = reader.costOf(operation.selectionSet);
    if (requested > 1_000) throw new Refused('Query cost is too high', { code: 'MAX_COST_EXCEEDED' });
    if (requested > shop.bucket.currentlyAvailable) {
      const { currentlyAvailable: available, restoreRate } = shop.bucket;
      return { headers, ...throttled({ requested, available, restoreRate }) };
    }
    const data = reader.root(operation.selectionSet);
    shop.bucket.currentlyAvailable -= reader.objects;
    const throttleStatus = { ...shop.bucket };
    const cost = { requestedQueryCost: requested, actualQueryCost: reader.objects, throttleStatus };
    return { headers, json: { data, extensions: { cost } } };
  } catch (error) {
    const { extensions } = error instanceof Refused ? error : { extensions: {} };
    const message = error instanceof Error ? error.message : String(error);
    return { headers, json: { errors: [{ message, extensions }] } };
  }
}

import { inspect } from 'node:util';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Account, OpenConnection, PulledPage } from '../../../src/connectors/connector.ts';
import { ProviderError } from '../../../src/connectors/provider-error.ts';
import { shopify } from '../../../src/connectors/shopify.ts';
import { startShopify, type ShopifyMock, type ShopifyShop } from './shopify.ts';

export const NOW = new Date('2026-11-20T12:00:00Z');
export const FROM = new Date('2026-11-01T00:00:00Z');
export const ACCOUNT: Account = {
  id: 'gid://shopify/Shop/7',
  label: 'Tide & Tar',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  missingScopes: [],
};
/** Of an app that may get new tokens. */
export const CLIENT = { clientId: 'client-id', clientSecret: 'shpss_client_secret' };
const SECRETS = ['shpss_client_secret', 'shpat_first', 'shpat_token-', 'shprt_refresh-', 'shprt_first'];

const mocks: ShopifyMock[] = [];

/** After each test: nothing that was said on either side was against Shopify's schema. */
export async function closeShopify(): Promise<void> {
  const problems = mocks.flatMap((mock) => mock.problems);
  await Promise.all(mocks.splice(0).map((mock) => mock.close()));
  expect(problems).toEqual([]);
}

interface Bundle {
  readonly mock: ShopifyMock;
  readonly connection: OpenConnection;
  /** What is stored now */
  readonly stored: () => unknown;
  readonly pull: (run?: Partial<Run>) => AsyncIterable<PulledPage>;
}

interface Run {
  readonly entity: string;
  readonly after: unknown;
  readonly signal: AbortSignal;
  readonly account: Account;
  readonly from: Date;
}

interface Setup extends Partial<ShopifyShop> {
  readonly credentials?: unknown;
  readonly onReplace?: () => Promise<void>;
}

export async function openShopify({
  credentials = { accessToken: 'shpat_first' },
  onReplace = () => Promise.resolve(),
  ...shop
}: Setup = {}): Promise<Bundle> {
  const mock = await startShopify(shop);
  mocks.push(mock);
  let current = credentials;
  const connection = shopify.open({
    config: { shop: 'tide-and-tar' },
    credentials: {
      read: () => Promise.resolve(current),
      async replace(next) {
        await onReplace();
        current = next;
        return true;
      },
    },
    clock: { now: () => NOW },
    baseUrl: mock.url,
    backoff: { baseMs: 1, maxMs: 5 },
  });
  const pull: Bundle['pull'] = ({ entity = 'orders', ...run } = {}) =>
    connection.pull(entity, {
      account: ACCOUNT,
      from: FROM,
      after: null,
      signal: new AbortController().signal,
      ...run,
    });
  return { mock, connection, stored: () => current, pull };
}

interface Pulled {
  readonly pages: PulledPage[];
  readonly error: ProviderError | null;
}

/** Whatever comes until the end, or until it fails. */
export async function collect(pages: AsyncIterable<PulledPage>): Promise<Pulled> {
  const found: PulledPage[] = [];
  try {
    for await (const page of pages) found.push(page);
    return { pages: found, error: null };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const text = inspect(error, { depth: 10 });
    SECRETS.forEach((secret) => expect(text).not.toContain(secret));
    return { pages: found, error };
  }
}

export async function failureOf(promise: Promise<unknown>): Promise<ProviderError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProviderError)) throw new Error(`expected a ProviderError, got ${inspect(error)}`);
  const text = inspect(error, { depth: 10 });
  SECRETS.forEach((secret) => expect(text).not.toContain(secret));
  return error;
}

export const idsOf = (pages: readonly PulledPage[]): string[] =>
  pages.flatMap((page) => page.records.map((record) => record.id));
export const factsOf = (pages: readonly PulledPage[]) =>
  pages.flatMap((page) => page.records.flatMap((record) => record.facts));
export const requireLast = (pages: readonly PulledPage[]): PulledPage => {
  const last = pages.at(-1);
  if (!last) throw new Error('there is no page');
  return last;
};

export function moneySet(amount: string, currencyCode = 'EUR') {
  return {
    shopMoney: { amount, currencyCode },
    presentmentMoney: { amount: '999.0', currencyCode: 'CHF' },
  };
}

type More = Readonly<Record<string, unknown>>;

export const productOf = (number: number): { readonly id: string } => ({
  id: `gid://shopify/Product/${number}`,
});

export function lineOf(number: number, more: More = {}) {
  return {
    id: `gid://shopify/LineItem/${number}`,
    title: `Product ${number}`,
    quantity: 1,
    originalTotalSet: moneySet('25.0'),
    discountAllocations: [],
    product: productOf(number),
    ...more,
  };
}

export const linesOf = (count: number): ReturnType<typeof lineOf>[] =>
  Array.from({ length: count }, (_, index) => lineOf(index + 1));

/** One that brings back what a line sold. */
export function refundLineOf(number: number, amount = '1.0', line: More = {}) {
  return { quantity: 1, subtotalSet: moneySet(amount), lineItem: lineOf(number, line) };
}

/** Lists of it are as Shopify keeps them: the mock answers pages of them. */
export function orderOf(number: number, more: More = {}) {
  const at = new Date(Date.parse('2026-11-10T10:00:00Z') + number * 60_000).toISOString();
  return {
    id: `gid://shopify/Order/${1_000 + number}`,
    name: `#${number}`,
    createdAt: at,
    updatedAt: at,
    processedAt: at,
    cancelledAt: null,
    test: false,
    displayFinancialStatus: 'PAID',
    sourceName: 'web',
    app: { name: 'Online Store' },
    customer: { id: 'gid://shopify/Customer/5' },
    totalPriceSet: moneySet('25.0'),
    refunds: [],
    lineItems: linesOf(1),
    ...more,
  };
}

export function refundOf(number: number, amount = '1.0', more: More = {}) {
  const at = '2026-11-12T08:00:00Z';
  return {
    id: `gid://shopify/Refund/${number}`,
    createdAt: at,
    processedAt: at,
    totalRefundedSet: moneySet(amount),
    refundLineItems: [refundLineOf(1, amount)],
    ...more,
  };
}

export const ordersOf = (count: number): ReturnType<typeof orderOf>[] =>
  Array.from({ length: count }, (_, index) => orderOf(index + 1));
export const withOrders = (orders: readonly Record<string, unknown>[]): ShopifyShop['records'] => ({
  orders: [...orders],
  products: [],
  customers: [],
});
/** A page of orders as Shopify would send it, whatever is in it. */
export const pageOf = (nodes: readonly unknown[]) => ({
  json: {
    data: { orders: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: nodes.map(asSent) } },
  },
});

const withLines = z.object({ lineItems: z.array(z.unknown()) }).loose();

function asSent(node: unknown): unknown {
  const { success, data: order } = withLines.safeParse(node);
  if (!success) return node;
  return {
    ...order,
    lineItems: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: order.lineItems },
  };
}

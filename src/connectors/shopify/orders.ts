import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import { money, toMoney, type Money } from '../../domain/money.ts';
import { defineEntity, type PullContext } from '../connector.ts';
import { changes, changesCursor, type Listing } from './listing.ts';
import { ask } from './query.ts';

/** More than nearly all orders have; those that have as many are asked for all of theirs. */
const REFUNDS_SHOWN = 5;
/** A list of Shopify has at most so many. */
const REFUNDS_MAX = 250;
/** Without the permission for all of them, in days. */
const DAYS_SHOWN = 60;
const ALL_ORDERS_SCOPE = 'read_all_orders';
const DAY_MS = 86_400_000;

const REFUND_FIELDS = `
  id createdAt processedAt
  totalRefundedSet { shopMoney { amount currencyCode } }
`;

/** A query may cost 1,000 points at most. An order of these costs 20 if each object of it costs 1. */
const ORDERS = `
  query Orders($first: Int!, $after: String, $filter: String!) {
    orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id name createdAt updatedAt processedAt cancelledAt test displayFinancialStatus sourceName
        app { name }
        customer { id }
        totalPriceSet { shopMoney { amount currencyCode } }
        refunds(first: ${REFUNDS_SHOWN}) { ${REFUND_FIELDS} }
      }
    }
  }
`;

const ORDER_REFUNDS = `
  query OrderRefunds($id: ID!) {
    order(id: $id) { refunds(first: ${REFUNDS_MAX}) { ${REFUND_FIELDS} } }
  }
`;

const id = z.string().min(1).max(500);
const moment = z.iso.datetime({ offset: true });
/** In the shop's own currency */
const shopMoney = z.object({
  shopMoney: z.object({ amount: money.shape.amount, currencyCode: money.shape.currency }),
});

const refund = z.object({
  id,
  createdAt: moment.nullish(),
  /** On which Shopify's own reports book it; earlier than `createdAt` for one that was imported */
  processedAt: moment,
  totalRefundedSet: shopMoney,
});

const order = z.object({
  id,
  name: z.string(),
  createdAt: moment,
  updatedAt: moment,
  /** On which Shopify's own reports book it; earlier than `createdAt` for one that was imported */
  processedAt: moment,
  cancelledAt: moment.nullish(),
  test: z.boolean(),
  displayFinancialStatus: z.string().nullish(),
  sourceName: z.string().nullish(),
  /** Of the sales channel or app that it was placed in: "Online Store", "Point of Sale" */
  app: z.object({ name: z.string() }).nullish(),
  customer: z.object({ id }).nullish(),
  /** Before anything was given back */
  totalPriceSet: shopMoney,
  refunds: z.array(refund),
});
type Order = z.infer<typeof order>;

const listing: Listing = {
  name: 'orders',
  document: ORDERS,
  pageSize: 40,
  complete: withAllRefunds,
  notes: ({ account, from, now }) =>
    account.missingScopes.includes(ALL_ORDERS_SCOPE) && now().getTime() - from.getTime() > DAYS_SHOWN * DAY_MS
      ? [
          `Shopify shows the orders of the last ${DAYS_SHOWN} days only, unless it grants ${ALL_ORDERS_SCOPE}.`,
        ]
      : [],
};

export const orders = defineEntity({
  title: 'Orders',
  feeds: 'revenue',
  record: order,
  cursor: changesCursor,
  scan: 'changes',
  idOf: (row) => row.id,
  factsOf: (row) => factsOf(row),
  pull: (ctx: PullContext<unknown>, after) => changes(listing, ctx, after),
});

/** Test orders were never sold; cancelled ones were, and their refunds say what became of them. */
function factsOf(row: Order): Fact[] {
  if (row.test) return [];
  const total = moneyOf(row.totalPriceSet);
  const sale: Fact = {
    type: 'order',
    key: row.id,
    at: new Date(row.processedAt),
    currency: total.currency,
    gross: total.amount,
    channel: row.app?.name.slice(0, 500) ?? null,
    customerKey: row.customer?.id ?? null,
  };
  const refunds = row.refunds.map((each): Fact => ({
    type: 'refund',
    key: each.id,
    orderKey: row.id,
    at: new Date(each.processedAt),
    ...moneyOf(each.totalRefundedSet),
  }));
  return [sale, ...refunds];
}

function moneyOf({ shopMoney: { amount, currencyCode } }: z.infer<typeof shopMoney>): Money {
  return toMoney(amount, currencyCode);
}

const shown = z.object({ id, refunds: z.array(z.unknown()) }).loose();
const allRefunds = z.object({ order: z.object({ refunds: z.array(z.unknown()) }).nullable() });

async function withAllRefunds(node: unknown, { client, signal }: PullContext<unknown>): Promise<unknown> {
  const parsed = shown.safeParse(node);
  if (!parsed.success || parsed.data.refunds.length < REFUNDS_SHOWN) return node;
  const query = { document: ORDER_REFUNDS, variables: { id: parsed.data.id }, data: allRefunds };
  const { data } = await ask(client, query, signal);
  return data.order ? { ...parsed.data, refunds: data.order.refunds } : node;
}

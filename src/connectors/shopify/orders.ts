import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import { defineEntity, type PullContext } from '../connector.ts';
import { connection, PAGE_INFO, type Connection } from './connection.ts';
import { orderLine, orderLineFields, orderLinesOf } from './lines.ts';
import { changes, changesCursor, type Listing } from './listing.ts';
import type { PageQueries } from './page-queries.ts';
import { refund, refundFact, refundsOf, REFUNDS_SHOWN } from './refunds.ts';
import type { Part } from './several.ts';
import { moneyOf, SHOP_MONEY, shopMoney } from './shop-money.ts';
import { readToEnd } from './whole-lists.ts';

/** Without the permission for all of them, in days. */
const DAYS_SHOWN = 60;
const ALL_ORDERS_SCOPE = 'read_all_orders';
const DAY_MS = 86_400_000;

/** Without it, products are known by their titles. */
const PRODUCTS_SCOPE = 'read_products';

/** More than most orders have. A query may cost 1,000 points at most; an order of these costs 38. */
const LINES_SHOWN = 4;
const PAGE_SIZE = 26;

const pageOf = (maySeeProducts: boolean): string => `
  query Orders($first: Int!, $after: String, $filter: String!) {
    orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
      ${PAGE_INFO}
      nodes {
        id name createdAt updatedAt processedAt cancelledAt test displayFinancialStatus sourceName
        app { name }
        customer { id }
        totalPriceSet { ${SHOP_MONEY} }
        refunds(first: ${REFUNDS_SHOWN}) { id }
        lineItems(first: ${LINES_SHOWN}) { ${PAGE_INFO} nodes { ${orderLineFields(maySeeProducts)} } }
      }
    }
  }
`;

const linesPart = (maySeeProducts: boolean): Part<Connection> => ({
  name: 'OrderLines',
  root: 'order',
  fieldsOf: (list) => `lineItems(${list}) { ${PAGE_INFO} nodes { ${orderLineFields(maySeeProducts)} } }`,
  data: z.object({ lineItems: connection }).transform(({ lineItems }) => lineItems),
});

const id = z.string().min(1).max(500);
const moment = z.iso.datetime({ offset: true });
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
  lineItems: z.object({ nodes: z.array(orderLine) }),
});
type Order = z.infer<typeof order>;

const listingOf = (maySeeProducts: boolean): Listing => ({
  name: 'orders',
  document: pageOf(maySeeProducts),
  pageSize: PAGE_SIZE,
  complete: (nodes, queries) => completed(nodes, maySeeProducts, queries),
  notes: notesOf,
});

function notesOf({ account: { missingScopes }, from, now }: PullContext<unknown>): string[] {
  const asksForMore = now().getTime() - from.getTime() > DAYS_SHOWN * DAY_MS;
  const days = `Shopify shows the orders of the last ${DAYS_SHOWN} days only, unless it grants ${ALL_ORDERS_SCOPE}.`;
  const products = `Products are known by their titles alone, unless Shopify grants ${PRODUCTS_SCOPE}.`;
  return [
    ...(asksForMore && missingScopes.includes(ALL_ORDERS_SCOPE) ? [days] : []),
    ...(missingScopes.includes(PRODUCTS_SCOPE) ? [products] : []),
  ];
}

export const orders = defineEntity({
  title: 'Orders',
  feeds: 'revenue',
  record: order,
  cursor: changesCursor,
  scan: 'changes',
  idOf: (row) => row.id,
  factsOf: (row) => factsOf(row),
  pull: (ctx: PullContext<unknown>, after) =>
    changes(listingOf(!ctx.account.missingScopes.includes(PRODUCTS_SCOPE)), ctx, after),
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
    lines: orderLinesOf(row.lineItems.nodes, total.currency),
  };
  return [sale, ...row.refunds.map((each) => refundFact(each, row.id))];
}

const shown = z.object({ id, lineItems: connection, refunds: z.array(z.object({ id })) }).loose();

/** What is no order at all stays as it came. */
async function completed(
  nodes: readonly unknown[],
  maySeeProducts: boolean,
  queries: PageQueries,
): Promise<unknown[]> {
  const parsed = nodes.map((node) => shown.safeParse(node).data);
  const known = parsed.filter((each) => each !== undefined);
  const begun = known.map((each) => ({ id: each.id, shown: each.lineItems }));
  const lines = await readToEnd(linesPart(maySeeProducts), begun, queries);
  const refunds = await refundsOf(known, maySeeProducts, queries);
  const whole = known.map((each, index) => ({
    ...each,
    lineItems: { nodes: lines[index] },
    refunds: refunds[index],
  }));
  return nodes.map((node, index) => (parsed[index] ? whole.shift() : node));
}

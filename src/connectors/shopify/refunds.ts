import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import { connection, PAGE_INFO } from './connection.ts';
import { refundLine, refundLineFields, refundLinesOf } from './lines.ts';
import type { PageQueries } from './page-queries.ts';
import { moneyOf, SHOP_MONEY, shopMoney } from './shop-money.ts';
import { askSeveral, lost, type Part } from './several.ts';
import { readToEnd } from './whole-lists.ts';

/** More than nearly all orders have; those that have as many are asked for all of theirs. */
export const REFUNDS_SHOWN = 3;
/** A list of Shopify has at most so many. */
const REFUNDS_MAX = 250;
/** A refund with so many lines costs 25 points. */
const LINES_SHOWN = 4;
const TOGETHER_MAX = 20;

const id = z.string().min(1).max(500);
const moment = z.iso.datetime({ offset: true });

export const refund = z.object({
  id,
  createdAt: moment.nullish(),
  /** On which Shopify's own reports book it; earlier than `createdAt` for one that was imported */
  processedAt: moment,
  totalRefundedSet: shopMoney,
  refundLineItems: z.object({ nodes: z.array(refundLine) }),
});

export function refundFact(row: z.infer<typeof refund>, orderKey: string): Fact {
  const total = moneyOf(row.totalRefundedSet);
  return {
    type: 'refund',
    key: row.id,
    orderKey,
    at: new Date(row.processedAt),
    ...total,
    lines: refundLinesOf(row.refundLineItems.nodes, total.currency),
  };
}

interface Named {
  readonly id: string;
}

/** An order, and the first `REFUNDS_SHOWN` of its refunds */
interface Refunded extends Named {
  readonly refunds: readonly Named[];
}

/** All refunds of each order with all their lines, in the order of what was given. */
export async function refundsOf(
  orders: readonly Refunded[],
  maySeeProducts: boolean,
  queries: PageQueries,
): Promise<unknown[][]> {
  const owned: { readonly id: string; readonly owner: Refunded }[] = [];
  for (const owner of orders) {
    const isWhole = owner.refunds.length < REFUNDS_SHOWN;
    const all = isWhole ? owner.refunds : await allOf(owner, queries);
    owned.push(...all.map(({ id: refundId }) => ({ id: refundId, owner })));
  }
  const whole = await wholeRefunds(owned, maySeeProducts, queries);
  return orders.map((order) => whole.filter((_, index) => owned[index]?.owner === order));
}

const ORDER_REFUNDS = `
  query OrderRefunds($id: ID!) { order(id: $id) { refunds(first: ${REFUNDS_MAX}) { id } } }
`;

const orderRefunds = z.object({ order: z.object({ refunds: z.array(z.object({ id })) }).nullable() });

async function allOf({ id: orderId }: Named, queries: PageQueries): Promise<readonly Named[]> {
  const query = { document: ORDER_REFUNDS, variables: { id: orderId }, data: orderRefunds };
  const { order } = await queries.ask(query);
  if (!order) throw lost('order');
  return order.refunds;
}

const withLines = z.object({ id, refundLineItems: connection }).loose();

async function wholeRefunds(
  named: readonly Named[],
  maySeeProducts: boolean,
  queries: PageQueries,
): Promise<unknown[]> {
  const part = partOf(maySeeProducts);
  const found: z.infer<typeof withLines>[] = [];
  for (let begin = 0; begin < named.length; begin += TOGETHER_MAX) {
    const asked = named.slice(begin, begin + TOGETHER_MAX).map((each) => ({ id: each.id, after: null }));
    found.push(...(await askSeveral(part, asked, LINES_SHOWN, queries)));
  }
  const begun = found.map((each) => ({ id: each.id, shown: each.refundLineItems }));
  const linesOnly = { ...part, data: withLines.transform((each) => each.refundLineItems) };
  const lines = await readToEnd(linesOnly, begun, queries);
  return found.map((each, index) => ({ ...each, refundLineItems: { nodes: lines[index] } }));
}

const partOf = (maySeeProducts: boolean): Part<z.infer<typeof withLines>> => ({
  name: 'Refunds',
  root: 'refund',
  fieldsOf: (list) => `
    id createdAt processedAt totalRefundedSet { ${SHOP_MONEY} }
    refundLineItems(${list}) { ${PAGE_INFO} nodes { ${refundLineFields(maySeeProducts)} } }
  `,
  data: withLines,
});

import { z } from 'zod';
import type { ProductLine } from '../../domain/facts.ts';
import type { Money } from '../../domain/money.ts';
import { moneyOf, SHOP_MONEY, shopMoney, totalOf } from './shop-money.ts';

const NAME_MAX = 500;

/** What was sold. Whoever may not read products gets its title alone. */
const itemFields = (maySeeProducts: boolean): string => `title ${maySeeProducts ? 'product { id }' : ''}`;

/**
 * 7 points a line. Shopify's discounted total of a line leaves out what was taken off the whole order; the allocations tell
 * of that as well, each line's share of it.
 */
export const orderLineFields = (maySeeProducts: boolean): string => `
  quantity ${itemFields(maySeeProducts)}
  originalTotalSet { ${SHOP_MONEY} }
  discountAllocations { allocatedAmountSet { ${SHOP_MONEY} } }
`;

/** 5 points a line */
export const refundLineFields = (maySeeProducts: boolean): string => `
  quantity subtotalSet { ${SHOP_MONEY} } lineItem { ${itemFields(maySeeProducts)} }
`;

const quantity = z.int().min(0);
const item = z.object({
  /** Of the product when it was sold */
  title: z.string(),
  /** Null: deleted since, or never one: a tip, something made for this order */
  product: z.object({ id: z.string().min(1).max(500) }).nullish(),
});
type Item = z.infer<typeof item>;

export const orderLine = item.extend({
  /** With pieces that were brought back or taken off later */
  quantity,
  originalTotalSet: shopMoney,
  /** What each discount took off it, those of the whole order among them */
  discountAllocations: z.array(z.object({ allocatedAmountSet: shopMoney })),
});

export const refundLine = z.object({
  quantity,
  /** After discounts, without taxes that came on top */
  subtotalSet: shopMoney,
  lineItem: item,
});

export function orderLinesOf(lines: readonly z.infer<typeof orderLine>[], currency: string): ProductLine[] {
  return byProduct(
    currency,
    lines.map((line) => {
      const original = moneyOf(line.originalTotalSet);
      const off = line.discountAllocations.map(
        ({ allocatedAmountSet }) => moneyOf(allocatedAmountSet).amount,
      );
      const amount = totalOf(original.currency, [original.amount], off);
      return { item: line, quantity: line.quantity, money: { ...original, amount } };
    }),
  );
}

export function refundLinesOf(lines: readonly z.infer<typeof refundLine>[], currency: string): ProductLine[] {
  return byProduct(
    currency,
    lines.map((line) => ({
      item: line.lineItem,
      quantity: line.quantity,
      money: moneyOf(line.subtotalSet),
    })),
  );
}

interface Part {
  readonly item: Item;
  readonly quantity: number;
  readonly money: Money;
}

/** One of each product. What has neither a product nor a title is no product's, and neither is other money. */
function byProduct(currency: string, parts: readonly Part[]): ProductLine[] {
  const found = new Map<string, ProductLine>();
  for (const { item: of, quantity: pieces, money } of parts) {
    const title = of.title.trim().slice(0, NAME_MAX);
    const productKey = of.product?.id ?? title;
    if (productKey === '' || money.currency !== currency) continue;
    const known = found.get(productKey) ?? { productKey, product: title, quantity: 0, amount: '0' };
    found.set(productKey, {
      ...known,
      quantity: known.quantity + pieces,
      amount: totalOf(currency, [known.amount, money.amount]),
    });
  }
  return [...found.values()];
}

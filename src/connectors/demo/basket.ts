import { z } from 'zod';
import type { ProductLine } from '../../domain/facts.ts';
import { decimal } from '../../domain/money.ts';
import { chance, decimalOf, pick } from './chance.ts';

export const basketLine = z.object({
  productId: z.string(),
  product: z.string(),
  quantity: z.int().positive(),
  amount: decimal,
});
export type BasketLine = z.infer<typeof basketLine>;

/** By id: what it is called, and its price in hundredths. */
const PRODUCTS = {
  mug: { product: 'Enamel mug', cents: 1_490 },
  tea: { product: 'Green tea, 250 g', cents: 1_190 },
  towel: { product: 'Linen towel', cents: 2_450 },
  candle: { product: 'Beeswax candle', cents: 990 },
  blanket: { product: 'Wool blanket', cents: 8_900 },
  lamp: { product: 'Desk lamp', cents: 6_990 },
  backpack: { product: 'Canvas backpack', cents: 11_900 },
  kettle: { product: 'Copper kettle', cents: 15_900 },
} as const;

/** How often each is chosen. */
const SHARES = {
  ...{ mug: 0.24, tea: 0.2, towel: 0.16, candle: 0.15 },
  ...{ blanket: 0.1, lamp: 0.07, backpack: 0.05, kettle: 0.03 },
};

/** At most so many products in an order; one is usual. */
const LINES_MAX = 4;
const SHIPPING_CENTS = 490;
const FREE_SHIPPING_CENTS = 5_000;

interface Basket {
  readonly lines: readonly BasketLine[];
  /** Of the lines, and of shipping */
  readonly totalCents: number;
}

/** What an order is of. The same id gives the same. */
export function basketOf(id: string): Basket {
  const wanted = 1 + Math.floor(LINES_MAX * chance(`order ${id} lines`) ** 2);
  const products = new Set(
    Array.from({ length: wanted }, (_, index) => pick(`order ${id} product ${index}`, SHARES, 'mug')),
  );
  const items = [...products].map((productId) => {
    const { product, cents } = PRODUCTS[productId];
    const quantity = chance(`order ${id} pieces of ${productId}`) < 0.2 ? 2 : 1;
    return { productId, product, quantity, cents: quantity * cents };
  });
  const sum = items.reduce((cents, item) => cents + item.cents, 0);
  return {
    lines: items.map(({ cents, ...line }) => ({ ...line, amount: decimalOf(cents) })),
    totalCents: sum < FREE_SHIPPING_CENTS ? sum + SHIPPING_CENTS : sum,
  };
}

export function productLines(lines: readonly BasketLine[]): ProductLine[] {
  return lines.map(({ productId, ...line }) => ({ productKey: productId, ...line }));
}

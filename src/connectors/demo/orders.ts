import { z } from 'zod';
import { decimal } from '../../domain/money.ts';
import { basketLine, basketOf, productLines, type BasketLine } from './basket.ts';
import { busyness, DAY_MS, dayNumber, timeWithin } from './calendar.ts';
import { between, chance, decimalOf, pick } from './chance.ts';
import { defineDays } from './days.ts';

const order = z.object({
  id: z.string(),
  placedAt: z.iso.datetime(),
  total: decimal,
  channel: z.string(),
  customerId: z.string(),
  lines: z.array(basketLine),
  refunds: z.array(
    z.object({ id: z.string(), at: z.iso.datetime(), amount: decimal, lines: z.array(basketLine) }),
  ),
});
type Order = z.infer<typeof order>;

const CURRENCY = 'EUR';
const USUAL_ORDERS = 28;
const CUSTOMERS = 5_000;
const CHANNELS = { web: 0.62, marketplace: 0.2, social: 0.11, pos: 0.07 };
/** Who sends something back does so within these days. */
const REFUND_DAYS = 5;

/** A shop's orders. Those of a day are all placed on that day in UTC. */
export const orders = defineDays({
  title: 'Orders',
  feeds: 'revenue',
  record: order,
  settlingDays: REFUND_DAYS,
  pageSize: 400,
  countOf: ordersOn,
  recordsOf: (day, { now }) =>
    Array.from({ length: ordersOn(day) }, (_, index) => orderOf(day, index, now.getTime())).filter(
      ({ placedAt }) => Date.parse(placedAt) <= now.getTime(),
    ),
  factsOf: ({ id, placedAt, total, channel, customerId, lines, refunds }) => [
    {
      type: 'order',
      key: id,
      at: new Date(placedAt),
      currency: CURRENCY,
      gross: total,
      channel,
      customerKey: customerId,
      lines: productLines(lines),
    },
    ...refunds.map((refund) => ({
      type: 'refund' as const,
      key: refund.id,
      orderKey: id,
      at: new Date(refund.at),
      currency: CURRENCY,
      amount: refund.amount,
      lines: productLines(refund.lines),
    })),
  ],
});

function ordersOn(day: string): number {
  return Math.round(USUAL_ORDERS * busyness(dayNumber(day), 'orders'));
}

function orderOf(day: string, index: number, nowMs: number): Order {
  const id = `${day}-${String(index + 1).padStart(3, '0')}`;
  const placedMs = timeWithin(dayNumber(day), `order ${id}`);
  const { lines, totalCents } = basketOf(id);
  return {
    id,
    placedAt: new Date(placedMs).toISOString(),
    total: decimalOf(totalCents),
    channel: pick(`order ${id} channel`, CHANNELS, 'web'),
    // Some come back often.
    customerId: `customer-${Math.floor(CUSTOMERS * chance(`order ${id} customer`) ** 2)}`,
    lines: [...lines],
    refunds: refundsOf(id, { placedMs, totalCents, lines, nowMs }),
  };
}

interface Placed {
  readonly placedMs: number;
  readonly totalCents: number;
  readonly lines: readonly BasketLine[];
  readonly nowMs: number;
}

/** Five in a hundred orders come back whole, of another four the first line. */
function refundsOf(id: string, { placedMs, totalCents, lines, nowMs }: Placed): Order['refunds'] {
  const draw = chance(`order ${id} refund`);
  if (draw >= 0.09) return [];
  const atMs = placedMs + Math.floor(between(`order ${id} return`, 0.1, REFUND_DAYS) * DAY_MS);
  if (atMs > nowMs) return [];
  const refund = { id: `${id}-r`, at: new Date(atMs).toISOString() };
  if (draw < 0.05) return [{ ...refund, amount: decimalOf(totalCents), lines: [...lines] }];
  return lines.slice(0, 1).map((line) => ({ ...refund, amount: line.amount, lines: [line] }));
}

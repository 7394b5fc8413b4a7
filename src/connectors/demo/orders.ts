import { z } from 'zod';
import { decimal } from '../../domain/money.ts';
import { busyness, DAY_MS, dayNumber, timeWithin } from './calendar.ts';
import { between, chance, decimalOf, pick } from './chance.ts';
import { defineDays } from './days.ts';

const order = z.object({
  id: z.string(),
  placedAt: z.iso.datetime(),
  total: decimal,
  channel: z.string(),
  customerId: z.string(),
  refunds: z.array(z.object({ id: z.string(), at: z.iso.datetime(), amount: decimal })),
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
  factsOf: ({ id, placedAt, total, channel, customerId, refunds }) => [
    {
      type: 'order',
      key: id,
      at: new Date(placedAt),
      currency: CURRENCY,
      gross: total,
      channel,
      customerKey: customerId,
    },
    ...refunds.map((refund) => ({
      type: 'refund' as const,
      key: refund.id,
      orderKey: id,
      at: new Date(refund.at),
      currency: CURRENCY,
      amount: refund.amount,
    })),
  ],
});

function ordersOn(day: string): number {
  return Math.round(USUAL_ORDERS * busyness(dayNumber(day), 'orders'));
}

function orderOf(day: string, index: number, nowMs: number): Order {
  const id = `${day}-${String(index + 1).padStart(3, '0')}`;
  const placedMs = timeWithin(dayNumber(day), `order ${id}`);
  // Many small orders, few large ones: 9.90 to 259.90.
  const cents = 990 + 100 * Math.floor(251 * chance(`order ${id} amount`) ** 2.5);
  return {
    id,
    placedAt: new Date(placedMs).toISOString(),
    total: decimalOf(cents),
    channel: pick(`order ${id} channel`, CHANNELS, 'web'),
    // Some come back often.
    customerId: `customer-${Math.floor(CUSTOMERS * chance(`order ${id} customer`) ** 2)}`,
    refunds: refundsOf(id, { placedMs, cents, nowMs }),
  };
}

/** Five in a hundred orders come back whole, another four by half. */
function refundsOf(
  id: string,
  { placedMs, cents, nowMs }: { placedMs: number; cents: number; nowMs: number },
): Order['refunds'] {
  const draw = chance(`order ${id} refund`);
  if (draw >= 0.09) return [];
  const atMs = placedMs + Math.floor(between(`order ${id} return`, 0.1, REFUND_DAYS) * DAY_MS);
  if (atMs > nowMs) return [];
  const amount = decimalOf(draw < 0.05 ? cents : Math.floor(cents / 2));
  return [{ id: `${id}-r`, at: new Date(atMs).toISOString(), amount }];
}

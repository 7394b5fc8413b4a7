import { z } from 'zod';
import { ProviderClient } from '../../src/connectors/client.ts';
import {
  defineConnector,
  defineEntity,
  type Page,
  type PullContext,
} from '../../src/connectors/connector.ts';
import { systemClock } from '../../src/lib/clock.ts';

const config = z.object({ url: z.url(), pageSize: z.int(), delayMs: z.int() });
export type BenchConfig = z.infer<typeof config>;

const decimal = z.string();
const order = z.object({
  id: z.int(),
  created_at: z.iso.datetime(),
  total: decimal,
  currency: z.string(),
  channel: z.string(),
  customer_id: z.int(),
  refunds: z.array(z.object({ id: z.string(), at: z.iso.datetime(), amount: decimal })),
});

const answer = z.object({ total: z.int(), orders: z.array(z.unknown()) });
const cursor = z.object({ after: z.int() });
type Cursor = z.infer<typeof cursor>;

export function openClient({ url }: BenchConfig): ProviderClient {
  const protocol = {
    title: 'Bench',
    baseUrl: url,
    timeoutMs: 30_000,
    requestIdHeader: null,
    headers: () => ({}),
    renew: () => Promise.resolve(false),
    judge: () => null,
  };
  return new ProviderClient({ protocol, clock: systemClock });
}

export async function fetchPage(
  client: ProviderClient,
  { pageSize, delayMs }: BenchConfig,
  after: number,
  signal: AbortSignal,
): Promise<z.infer<typeof answer>> {
  const query = { after, limit: pageSize, delay: delayMs };
  return answer.parse((await client.request({ path: '/orders', query }, signal)).json);
}

async function* pull(
  { client, config: own, signal }: PullContext<BenchConfig>,
  from: Cursor | null,
): AsyncGenerator<Page<Cursor>> {
  for (let after = from?.after ?? 0; ;) {
    const { total, orders } = await fetchPage(client, own, after, signal);
    after += orders.length;
    const isLast = after >= total;
    yield { records: orders, total, cursor: { after }, isLast };
    if (isLast) return;
  }
}

/** A shop with nothing but orders, one page after the other. */
export const benchConnector = defineConnector({
  provider: 'bench',
  title: 'Bench',
  config,
  credentials: z.object({}),
  open: (options) => openClient(options.config),
  check: () =>
    Promise.resolve({ id: 'bench', label: 'Bench', timeZone: null, currency: 'EUR', missingScopes: [] }),
  entities: {
    orders: defineEntity({
      title: 'Orders',
      feeds: 'revenue',
      record: order,
      cursor,
      scan: 'changes',
      idOf: ({ id }) => String(id),
      factsOf: ({ id, created_at, total, currency, channel, customer_id, refunds }) => [
        {
          type: 'order',
          key: String(id),
          at: new Date(created_at),
          currency,
          gross: total,
          channel,
          customerKey: String(customer_id),
        },
        ...refunds.map((refund) => ({
          type: 'refund' as const,
          key: refund.id,
          orderKey: String(id),
          at: new Date(refund.at),
          currency,
          amount: refund.amount,
        })),
      ],
      pull,
    }),
  },
});

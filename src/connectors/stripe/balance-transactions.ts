import { z } from 'zod';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import { resuming } from '../cursor-lost.ts';
import { ProviderError } from '../provider-error.ts';
import { read, TITLE } from './answer.ts';
import { balanceTransaction, factsOf } from './balance-transaction.ts';

/** Stripe gives no more at once. */
const PAGE_SIZE = 100;
/** What was read already is read again for as long, in s: a movement may be listed later than it is dated. */
const TRAIL_SECONDS = 3 * 24 * 60 * 60;

/** The request for a page, the sources of its transactions in full. */
export const LIST = {
  path: '/v1/balance_transactions',
  query: { 'expand[]': 'data.source' },
} as const;

const seconds = z.int().min(0);

/** A window of time that is read from its end to its beginning. */
const unfinished = z.object({
  from: seconds,
  /** Not in the window any more */
  until: seconds,
  /** Id of the oldest transaction that was read; null: none was */
  startingAfter: z.string().nullable(),
});
type Window = z.infer<typeof unfinished>;

/**
 * Stripe lists the newest first, and nothing else: a moment until which all is read exists only once a window is
 * complete. Before that the cursor holds the window and how far back it was read, so that whoever goes on leaves out
 * nothing between the two.
 */
const cursor = z.union([unfinished, z.object({ from: seconds })]);
type Cursor = z.infer<typeof cursor>;

const list = z.object({ data: z.array(z.unknown()), has_more: z.boolean() });
const named = z.object({ id: z.string().min(1) });

/** Reads what is left of a window. */
async function* readWindow<Config>(
  { client, signal }: PullContext<Config>,
  { startingAfter, ...window }: Window,
  isNewest: boolean,
): AsyncGenerator<Page<Cursor>> {
  for (let after = startingAfter; ;) {
    const query = {
      ...LIST.query,
      limit: PAGE_SIZE,
      'created[gte]': window.from,
      'created[lt]': window.until,
      starting_after: after ?? undefined,
    };
    const asked = client.request({ ...LIST, query }, signal);
    // Stripe refuses an id that it does not know any more; then the window is read from its end again.
    const isResumed = after !== null && after === startingAfter;
    const answer = await (isResumed ? resuming(asked, { from: window.from }) : asked);
    const { data, has_more: hasMore } = read(list, answer);
    if (!hasMore) {
      yield { records: data, cursor: { from: beginningAfter(window) }, isLast: isNewest };
      return;
    }
    after = oldestOf(data, after);
    yield { records: data, cursor: { ...window, startingAfter: after }, isLast: false };
  }
}

function beginningAfter({ until }: Pick<Window, 'until'>): number {
  return Math.max(0, until - TRAIL_SECONDS);
}

/** @throws ProviderError when it is the one that was there before, from which there is no way on */
function oldestOf(data: readonly unknown[], before: string | null): string {
  const ids = data.map((record) => named.safeParse(record).data?.id).filter((id) => id !== undefined);
  const oldest = ids.at(-1) ?? null;
  if (oldest !== null && oldest !== before) return oldest;
  throw new ProviderError('bad_request', `${TITLE} says that there is more and not after what.`);
}

/**
 * Every movement of the balance (https://docs.stripe.com/api/balance_transactions/list). They are read rather than
 * charges and refunds because they alone are in the currency of the balance, each on its own day, and keep their amounts.
 */
export const balanceTransactions = defineEntity({
  title: 'Balance transactions',
  feeds: 'payments',
  record: balanceTransaction,
  cursor,
  scan: 'changes',
  idOf: ({ id }) => id,
  factsOf,
  async *pull(ctx, after) {
    const until = Math.floor(ctx.now().getTime() / 1_000);
    let from = after?.from ?? Math.max(0, Math.floor(ctx.from.getTime() / 1_000));
    if (after && 'until' in after) {
      yield* readWindow(ctx, after, false);
      from = beginningAfter(after);
    }
    yield* readWindow(ctx, { from, until, startingAfter: null }, true);
  },
});

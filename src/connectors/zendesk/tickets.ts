import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import type { ProviderAnswer } from '../client.ts';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import { resuming } from '../cursor-lost.ts';
import { ProviderError } from '../provider-error.ts';
import { ExportPace } from './pace.ts';
import { TITLE } from './protocol.ts';
import type { ZendeskConfig } from './settings.ts';

/** The largest page that there is. */
const PAGE_SIZE = 1_000;
/** What Zendesk's documentation advises where a page takes too long: a smaller one. */
const SMALL_PAGE_SIZE = 100;
/** What changed within the last minute is held back, and asking for it is an error; our clocks may differ. */
const HELD_BACK_MS = 120_000;

const moment = z.iso.datetime({ offset: true });
const duration = z.object({ calendar: z.number().min(0).nullish() }).nullish();

const ticket = z.object({
  id: z.int().min(1),
  /** new, open, pending, hold, solved, closed; of custom statuses their category */
  status: z.string(),
  created_at: moment,
  updated_at: moment.nullish(),
  via: z.object({ channel: z.union([z.string().max(500), z.number()]).nullish() }).nullish(),
  /** good, bad, offered, unoffered. Null in accounts without it, and in those that send surveys instead */
  satisfaction_rating: z.object({ score: z.string().nullish() }).nullish(),
  metric_set: z
    .object({
      solved_at: moment.nullish(),
      status_updated_at: moment.nullish(),
      /** To the first reply */
      reply_time_in_minutes: duration,
      /** The same, of messaging tickets alone */
      reply_time_in_seconds: duration,
    })
    .nullish(),
});
type Ticket = z.infer<typeof ticket>;

const cursor = z.object({
  /** Where Zendesk goes on; null: at `startTime` */
  after: z.string().min(1).nullable(),
  /** In seconds since 1970 */
  startTime: z.int().min(0),
  pageSize: z.int().min(1).max(PAGE_SIZE),
});
type Cursor = z.infer<typeof cursor>;

const exported = z.object({
  tickets: z.array(z.unknown()),
  /** Seen both beside the tickets and in them */
  metric_sets: z.array(z.unknown()).nullish(),
  after_cursor: z.string().min(1).nullish(),
  end_of_stream: z.boolean(),
});
type Exported = z.infer<typeof exported>;

/**
 * All tickets in the order in which they last changed, deleted ones included, by the cursor-based export:
 * https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
 */
export const tickets = defineEntity({
  title: 'Tickets',
  feeds: 'support',
  scan: 'changes',
  record: ticket,
  cursor,
  idOf: ({ id }) => String(id),
  factsOf: (row) => [factOf(row)],
  pull,
});

function factOf(row: Ticket): Fact {
  const channel = row.via?.channel;
  const solvedAt = solvedAtOf(row);
  return {
    type: 'ticket',
    key: String(row.id),
    openedAt: new Date(row.created_at),
    solvedAt: solvedAt === null ? null : new Date(solvedAt),
    firstReplyMinutes: firstReplyMinutesOf(row),
    satisfaction: satisfactionOf(row),
    channel: channel == null ? null : String(channel),
  };
}

/** One that was closed without being solved, by a merge or an import, ended when its status last changed. */
function solvedAtOf({ status, metric_set, updated_at }: Ticket): string | null {
  if (status !== 'solved' && status !== 'closed') return null;
  return metric_set?.solved_at ?? metric_set?.status_updated_at ?? updated_at ?? null;
}

function firstReplyMinutesOf({ metric_set }: Ticket): number | null {
  const seconds = metric_set?.reply_time_in_seconds?.calendar;
  return seconds == null ? (metric_set?.reply_time_in_minutes?.calendar ?? null) : seconds / 60;
}

function satisfactionOf({ satisfaction_rating }: Ticket): 'good' | 'bad' | null {
  const score = satisfaction_rating?.score;
  return score === 'good' || score === 'bad' ? score : null;
}

async function* pull(ctx: PullContext<ZendeskConfig>, after: Cursor | null): AsyncGenerator<Page<Cursor>> {
  const pace = new ExportPace();
  let at = after ?? firstCursor(ctx);
  for (;;) {
    const isResumed = at === after && at.after !== null;
    const asked = ask(ctx, at);
    const { answer, pageSize } = await (isResumed ? resuming(asked, { ...at, after: null }) : asked);
    pace.count(answer.headers, ctx.now());
    const page = readPage(answer);
    const next = { ...at, after: page.after_cursor ?? at.after, pageSize };
    const isLast = page.end_of_stream;
    yield { ...sortOut(page), cursor: isLast ? { ...next, pageSize: PAGE_SIZE } : next, isLast };
    if (isLast) return;
    if (next.after === at.after)
      throw new ProviderError('transient', `${TITLE} named no next page of tickets.`);
    at = next;
    await pace.wait(ctx.now(), ctx.signal);
  }
}

function firstCursor({ from, now }: PullContext<ZendeskConfig>): Cursor {
  const startMs = Math.min(from.getTime(), now().getTime() - HELD_BACK_MS);
  return { after: null, startTime: Math.max(0, Math.floor(startMs / 1_000)), pageSize: PAGE_SIZE };
}

/** One page, or a smaller one where that does not come: by the cursor alone, whatever address is named for the next. */
async function ask(
  { client, signal }: PullContext<ZendeskConfig>,
  { after, startTime, pageSize }: Cursor,
): Promise<{ readonly answer: ProviderAnswer; readonly pageSize: number }> {
  const where = after === null ? { start_time: startTime } : { cursor: after };
  const request = async (size: number) => {
    const query = { ...where, include: 'metric_sets', per_page: size };
    const answer = await client.request({ path: '/api/v2/incremental/tickets/cursor', query }, signal);
    return { answer, pageSize: size };
  };
  try {
    return await request(pageSize);
  } catch (error) {
    const isWorthTrying = error instanceof ProviderError && error.kind === 'transient';
    if (!isWorthTrying || pageSize <= SMALL_PAGE_SIZE) throw error;
    return request(SMALL_PAGE_SIZE);
  }
}

function readPage({ json }: ProviderAnswer): Exported {
  const page = exported.safeParse(json);
  if (!page.success)
    throw new ProviderError('transient', `${TITLE} answered something that is no page of tickets.`);
  return page.data;
}

const withId = z.looseObject({ id: z.int() });
const deleted = z.looseObject({ id: z.int(), status: z.literal('deleted') });
const withTicketId = z.looseObject({ ticket_id: z.int() });

/** Each ticket once, as it was last, with its metrics; apart from those that are gone. */
function sortOut(page: Exported): {
  readonly records: readonly unknown[];
  readonly removed: readonly string[];
} {
  const metricsOf = new Map<number, unknown>();
  for (const metrics of page.metric_sets ?? []) {
    const parsed = withTicketId.safeParse(metrics);
    if (parsed.success) metricsOf.set(parsed.data.ticket_id, metrics);
  }
  const latest = new Map<unknown, unknown>();
  for (const raw of page.tickets) {
    const parsed = withId.safeParse(raw);
    const metrics = parsed.success ? metricsOf.get(parsed.data.id) : undefined;
    const row = metrics === undefined ? raw : { ...parsed.data, metric_set: metrics };
    latest.set(parsed.success ? parsed.data.id : raw, row);
  }
  const records: unknown[] = [];
  const removed: string[] = [];
  for (const row of latest.values()) {
    const gone = deleted.safeParse(row);
    if (gone.success) removed.push(String(gone.data.id));
    else records.push(row);
  }
  return { records, removed };
}

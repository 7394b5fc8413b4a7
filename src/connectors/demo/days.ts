import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import type { Feed } from '../../domain/panel.ts';
import { addDays, dateIn, daysOf, isDate } from '../../domain/period.ts';
import { defineEntity, type Entity, type Page, type PullContext } from '../connector.ts';
import type { ProviderError } from '../provider-error.ts';
import { momentIn, type Moment } from './calendar.ts';

/** What a demo account has of each day. The same day and moment give the same, whoever asks and however often. */
export interface Days<Row extends { readonly id: string }> {
  readonly title: string;
  readonly feeds: Feed;
  readonly record: z.ZodType<Row>;
  /** Records of a day change for so many days after it */
  readonly settlingDays: number;
  readonly pageSize: number;
  /** How many a day has once it is over */
  countOf(day: string): number;
  /** What there is of it by now */
  recordsOf(day: string, moment: Moment): readonly Row[];
  factsOf(row: Row): readonly Fact[];
  /** What goes wrong after the first page of a first run, which goes on behind it when it is tried again */
  readonly trouble?: (now: Date) => ProviderError;
}

/** `day`: the last one that was read and does not change any more */
const cursor = z.object({ day: z.string().refine(isDate) });
type Cursor = z.infer<typeof cursor>;

export function defineDays<Row extends { readonly id: string }>(days: Days<Row>): Entity<unknown, null> {
  const { title, feeds, record } = days;
  return defineEntity({
    title,
    feeds,
    record,
    cursor,
    scan: 'changes',
    idOf: ({ id }) => id,
    factsOf: (row) => days.factsOf(row),
    pull: (ctx: PullContext<unknown, null>, after) => pull(days, ctx, after),
  });
}

/** Whole days in order, some to a page. A page's cursor stays behind the days that are read again the next time. */
async function* pull<Row extends { readonly id: string }>(
  days: Days<Row>,
  ctx: PullContext<unknown, null>,
  after: Cursor | null,
): AsyncGenerator<Page<Cursor>> {
  const timeZone = ctx.account.timeZone ?? 'UTC';
  const moment = momentIn(timeZone, ctx.now());
  const { today } = moment;
  const settled = addDays(today, -days.settlingDays - 1);
  const asked = after ? addDays(after.day, 1) : dateIn(timeZone, ctx.from);
  const from = asked < today ? asked : today;
  const total = countOf(days, from, moment);
  let known = after?.day ?? addDays(from, -1);
  let records: Row[] = [];
  let isFirst = true;
  for (const day of daysOf({ from, to: today })) {
    ctx.signal.throwIfAborted();
    records.push(...days.recordsOf(day, moment));
    if (day <= settled && day > known) known = day;
    const isLast = day === today;
    if (!isLast && records.length < days.pageSize) continue;
    yield await Promise.resolve({ records, total, cursor: { day: known }, isLast });
    if (isFirst && !isLast && !after && days.trouble) throw days.trouble(ctx.now());
    records = [];
    isFirst = false;
  }
}

function countOf<Row extends { readonly id: string }>(days: Days<Row>, from: string, moment: Moment): number {
  const over = daysOf({ from, to: moment.today }).slice(0, -1);
  const today = days.recordsOf(moment.today, moment).length;
  return over.reduce((sum, day) => sum + days.countOf(day), today);
}

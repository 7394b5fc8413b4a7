import { z } from 'zod';
import { DISTINCT_WINDOWS, type Fact } from '../../domain/facts.ts';
import { addDays, dateIn, isDate, type Period } from '../../domain/period.ts';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { TITLE } from './errors.ts';
import { resumeAtOf } from './quota.ts';
import { notesOf, readReport, type ReportQuery, type ReportRow } from './report.ts';

export interface Config {
  /** Digits */
  readonly propertyId: string;
}

/** A report, and what its rows are as records. */
interface TrafficReport {
  readonly query: ReportQuery;
  toRecord(row: Readonly<Record<string, string>>): object;
}

/** One read of consecutive days takes no more of them. */
const PERIOD_DAYS_MAX = 31;
/** Google goes on counting late events for so many days after a day. */
const SETTLING_DAYS = 3;
/** "Requests are allowed up to 4 date ranges" (…/data/v1/rest/v1beta/DateRange). */
const DATE_RANGES_MAX = 4;

/** `activeUsers` is what Google's own pages call users. */
const METRICS = ['sessions', 'screenPageViews', 'engagedSessions', 'activeUsers', 'newUsers'];

const count = z
  .string()
  .regex(/^\d{1,15}$/, { error: 'expected a whole number' })
  .transform(Number);

const trafficRow = z.object({
  id: z.string().max(500),
  date: z
    .string()
    .regex(/^\d{8}$/, { error: 'expected a day as YYYYMMDD' })
    .transform((text) => `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`)
    .refine(isDate, { error: 'expected a day that the calendar has' }),
  windowDays: z.literal(DISTINCT_WINDOWS),
  channel: z.string().max(400).nullable(),
  sessions: count,
  screenPageViews: count,
  engagedSessions: count,
  activeUsers: count,
  newUsers: count,
});

/** `day`: the last one whose figures we have and that do not change any more */
const cursor = z.object({ day: z.string().refine(isDate) });
type Cursor = z.infer<typeof cursor>;

/** Visits by day and channel, by day, and the distinct users of longer windows that end yesterday or today. */
export const traffic = defineEntity({
  title: 'Traffic',
  feeds: 'traffic',
  record: trafficRow,
  cursor,
  scan: 'changes',
  idOf: ({ id }) => id,
  factsOf,
  pull,
});

function factsOf(row: z.infer<typeof trafficRow>): readonly Fact[] {
  const { id, date, screenPageViews, activeUsers, windowDays, channel, sessions, engagedSessions, newUsers } =
    row;
  return [
    {
      type: 'traffic_day',
      key: id,
      day: date,
      windowDays,
      channel,
      sessions,
      pageviews: screenPageViews,
      engagedSessions,
      users: activeUsers,
      newUsers,
    },
  ];
}

async function* pull(ctx: PullContext<Config>, after: Cursor | null): AsyncIterable<Page<Cursor>> {
  const timeZone = ctx.account.timeZone ?? 'UTC';
  const today = dateIn(timeZone, ctx.now());
  let known = after?.day ?? addDays(dateIn(timeZone, ctx.from), -1);
  for (const period of periodsOf(addDays(known, 1), today)) {
    const isLast = period.to === today;
    const settled = earlier(period.to, addDays(today, -SETTLING_DAYS - 1));
    const next = later(known, settled);
    const resumeAt = yield* readPeriod(ctx, { period, before: { day: known }, after: { day: next }, isLast });
    if (resumeAt && !isLast)
      throw new ProviderError('rate_limited', `${TITLE} has hardly any quota left.`, { resumeAt });
    known = next;
  }
}

interface PeriodRead {
  readonly period: Period;
  /** Until the period has been read to its end */
  readonly before: Cursor;
  readonly after: Cursor;
  readonly isLast: boolean;
}

/** @returns when to go on, if the quota is nearly used up */
async function* readPeriod(
  { client, config: { propertyId }, signal, now }: PullContext<Config>,
  { period, before, after, isLast }: PeriodRead,
): AsyncGenerator<Page<Cursor>, Date | null> {
  const reports = [byChannel(period), byDay(period), ...(isLast ? distinctUsers(period.to) : [])];
  let resumeAt: Date | null = null;
  for (const [index, report] of reports.entries()) {
    for await (const page of readReport(client, { propertyId, query: report.query }, signal)) {
      const isRead = page.isLast && index === reports.length - 1;
      const records = page.rows.map((row) => toRecord(report, row));
      const notes = notesOf(page);
      resumeAt = resumeAtOf(page.quota, now());
      if (records.length > 0 || notes.length > 0 || isRead)
        yield { records, notes, cursor: isRead ? after : before, isLast: isRead && isLast };
    }
  }
  return resumeAt;
}

function byChannel({ from, to }: Period): TrafficReport {
  return {
    query: {
      dimensions: ['date', 'sessionDefaultChannelGroup'],
      metrics: METRICS,
      dateRanges: [{ startDate: from, endDate: to }],
    },
    toRecord({ date = '', sessionDefaultChannelGroup: channel = '', ...metrics }) {
      return { id: `${date} 1 ${channel}`, date, windowDays: 1, channel, ...metrics };
    },
  };
}

/** Users come through several channels on one day: the day's are asked for, not added up. */
function byDay({ from, to }: Period): TrafficReport {
  return {
    query: { dimensions: ['date'], metrics: METRICS, dateRanges: [{ startDate: from, endDate: to }] },
    toRecord: ({ date = '', ...metrics }) => ({
      id: `${date} 1`,
      date,
      windowDays: 1,
      channel: null,
      ...metrics,
    }),
  };
}

/** Every window longer than a day that ends yesterday or today, in as few reports as there can be. */
function distinctUsers(today: string): TrafficReport[] {
  const windows = [addDays(today, -1), today].flatMap((endDate) =>
    DISTINCT_WINDOWS.filter((days) => days > 1).map((days) => ({ endDate, days })),
  );
  const count = Math.ceil(windows.length / DATE_RANGES_MAX);
  return Array.from({ length: count }, (_, index) =>
    byWindow(windows.slice(index * DATE_RANGES_MAX, (index + 1) * DATE_RANGES_MAX)),
  );
}

function byWindow(windows: readonly { readonly endDate: string; readonly days: number }[]): TrafficReport {
  const named = windows.map(({ endDate, days }) => {
    const date = endDate.replaceAll('-', '');
    return { name: `users_${days}_${date}`, date, days, startDate: addDays(endDate, 1 - days), endDate };
  });
  const dateRanges = named.map(({ name, startDate, endDate }) => ({ name, startDate, endDate }));
  return {
    query: { dimensions: [], metrics: METRICS, dateRanges },
    toRecord({ dateRange, ...metrics }) {
      const { date, days } = named.find(({ name }) => name === dateRange) ?? {};
      return {
        id: `${date ?? dateRange ?? ''} ${days ?? ''}`,
        date,
        windowDays: days,
        channel: null,
        ...metrics,
      };
    },
  };
}

function toRecord(report: TrafficReport, row: ReportRow): unknown {
  return row === null ? null : report.toRecord(row);
}

/** The days from one to the other, last included, in pieces; never none. */
function periodsOf(first: string, last: string): Period[] {
  const periods: Period[] = [];
  for (let from = earlier(first, last); from <= last; from = addDays(from, PERIOD_DAYS_MAX))
    periods.push({ from, to: earlier(addDays(from, PERIOD_DAYS_MAX - 1), last) });
  return periods;
}

function earlier(one: string, other: string): string {
  return one < other ? one : other;
}

function later(one: string, other: string): string {
  return one > other ? one : other;
}

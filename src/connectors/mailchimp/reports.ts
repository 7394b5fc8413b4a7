import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import { canonicalAmount, currencyCode, minorDigits, type Money } from '../../domain/money.ts';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import { count, fieldsOf, items, pagesOf, position, START, totalItems, type Listing } from './listing.ts';

/** Reports go on changing after a campaign was sent: each is read until it is this old, in ms. */
const REREAD_MS = 30 * 24 * 60 * 60_000;

/** https://mailchimp.com/developer/marketing/api/reports/list-campaign-reports/ */
const report = z.object({
  id: z.string().min(1),
  /** "regular", "variate" … */
  type: z.string().default(''),
  campaign_title: z.string().default(''),
  subject_line: z.string().default(''),
  list_id: z.string().default(''),
  list_name: z.string().default(''),
  send_time: z.iso.datetime({ offset: true }),
  emails_sent: count,
  unsubscribed: count,
  opens: z.object({
    opens_total: count,
    /** Without those that a mail program's proxy made on its own, as Apple's does for every message */
    proxy_excluded_opens: count.optional(),
  }),
  clicks: z.object({ clicks_total: count }),
  bounces: z.object({ hard_bounces: count, soft_bounces: count, syntax_errors: count }),
  ecommerce: z
    .object({
      total_orders: count.optional(),
      /** All orders, less shipping and tax */
      total_revenue: z.number().min(-1e15).max(1e15).optional(),
      /** Of the whole account */
      currency_code: z.string().optional(),
    })
    .optional(),
});
type Report = z.infer<typeof report>;

const REPORTS: Listing = {
  path: '/reports',
  query: { fields: fieldsOf('reports', Object.keys(report.shape)) },
  answer: z
    .object({ reports: items, total_items: totalItems })
    .transform((answer) => ({ records: answer.reports, total: answer.total_items })),
};

/** In the middle of the campaigns that were sent between two moments. */
const reading = position.extend({ since: z.iso.datetime(), until: z.iso.datetime() });
/** All that were sent until then are read. */
const finished = z.strictObject({ until: z.iso.datetime() });
const reportsCursor = z.union([reading, finished]);
type ReportsCursor = z.infer<typeof reportsCursor>;

type ReportsPage = Page<ReportsCursor>;

/** A run that was broken off is ended first; then comes what was sent since. */
async function* pullReports(
  ctx: PullContext<unknown>,
  after: ReportsCursor | null,
): AsyncGenerator<ReportsPage> {
  if (after && 'offset' in after) {
    for await (const page of pagesOfSpan(ctx, after)) yield { ...page, isLast: false };
  }
  const since = after ? new Date(Date.parse(after.until) - REREAD_MS) : ctx.from;
  yield* pagesOfSpan(ctx, { ...START, since: wholeSecond(since), until: wholeSecond(ctx.now()) });
}

/** `until` stands still while the pages are read, so that what is sent meanwhile moves none of them. */
async function* pagesOfSpan(
  ctx: PullContext<unknown>,
  { since, until, ...after }: z.infer<typeof reading>,
): AsyncGenerator<ReportsPage> {
  const query = { ...REPORTS.query, since_send_time: since, before_send_time: until };
  for await (const { records, total, next } of pagesOf(ctx, { ...REPORTS, query }, after)) {
    const cursor = next ? { since, until, ...next } : { until };
    yield { records, total, cursor, isLast: next === null };
  }
}

/** Mailchimp knows no fractions of a second. */
function wholeSecond(moment: Date): string {
  return `${moment.toISOString().slice(0, 19)}Z`;
}

function factsOf(row: Report): Fact[] {
  const { hard_bounces, soft_bounces, syntax_errors } = row.bounces;
  return [
    {
      type: 'email_day',
      key: row.id,
      at: new Date(row.send_time),
      campaign: (row.campaign_title || row.subject_line || row.id).slice(0, 500),
      list: row.list_name.slice(0, 500) || null,
      sent: row.emails_sent,
      opens: row.opens.proxy_excluded_opens ?? row.opens.opens_total,
      clicks: row.clicks.clicks_total,
      unsubscribes: row.unsubscribed,
      bounces: hard_bounces + soft_bounces + syntax_errors,
      revenue: revenueOf(row.ecommerce ?? {}),
    },
  ];
}

/** Null where nothing is sold, and for a currency that we do not know. */
function revenueOf({ total_revenue, currency_code }: NonNullable<Report['ecommerce']>): Money | null {
  const currency = currencyCode.safeParse(currency_code);
  if (!currency.success || total_revenue === undefined) return null;
  return { amount: exactly(total_revenue, currency.data), currency: currency.data };
}

/**
 * Mailchimp writes money as a JSON number, and a sum of it as 1234.5600000000002. A double gives back every decimal of
 * at most 15 digits as it was written; what comes behind those, or more than four digits behind the currency's last
 * one, was never anybody's money and is rounded off.
 */
function exactly(value: number, currency: string): string {
  const wholeDigits = String(Math.trunc(Math.abs(value))).length;
  const digits = Math.max(0, Math.min(minorDigits(currency) + 4, 15 - wholeDigits));
  return canonicalAmount(value.toFixed(digits), currency);
}

/** What campaigns came to, by the time they were sent. */
export const reports = defineEntity({
  title: 'Campaign reports',
  feeds: 'email',
  record: report,
  cursor: reportsCursor,
  scan: 'changes',
  idOf: ({ id }) => id,
  factsOf,
  pull: pullReports,
});

import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import { canonicalAmount, currencyCode, decimal } from '../../domain/money.ts';
import { addDays, countDays, dateIn } from '../../domain/period.ts';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { PACIFIC, day, dayCursor, earlier, firstDay, readUpTo, type DayCursor } from './days.ts';
import { asksForLess } from './error.ts';
import { count, nothingUpTo, readAnswer, versionNotes, type MetaConfig } from './graph.ts';
import { pace } from './usage.ts';

/** One request asks for so many days; fewer where Meta finds that too much. */
const WINDOW_DAYS = 7;
const ROWS_MAX = 500;
/** Conversions are attributed for four weeks: figures change until then. */
const TRAILING_DAYS = 28;
/** Three years; Meta refuses what began over 37 months ago. */
const KEPT_DAYS = 1_095;

/** By type of action; types overlap. Absent: 0. */
const actions = z
  .array(
    z.object({
      action_type: z.string(),
      value: z.union([z.string(), z.number()]).transform(String).pipe(decimal),
    }),
  )
  .default([]);

/** https://developers.facebook.com/docs/marketing-api/reference/ads-insights: numbers are texts, zeros left out. */
const adInsight = z.object({
  account_id: z.string().min(1).max(100),
  account_name: z.string().default(''),
  account_currency: currencyCode,
  campaign_id: z.string().min(1).max(100),
  campaign_name: z.string().default(''),
  date_start: day,
  date_stop: day,
  spend: decimal.default('0'),
  impressions: count,
  clicks: count,
  inline_link_clicks: count,
  reach: count,
  actions,
  action_values: actions,
});
type AdInsight = z.infer<typeof adInsight>;

/** Each counts the purchases of the next ones and more: the first that is there counts, and no other. */
const PURCHASES = ['omni_purchase', 'purchase', 'offsite_conversion.fb_pixel_purchase'];

function keyOf({ account_id, campaign_id, date_start }: AdInsight): string {
  return `${account_id}:${campaign_id}:${date_start}`;
}

function factsOf(row: AdInsight): Fact[] {
  const listed = [...row.actions, ...row.action_values].map((each) => each.action_type);
  const type = PURCHASES.find((each) => listed.includes(each));
  const valueIn = (all: AdInsight['actions']): string =>
    all.find((each) => each.action_type === type)?.value ?? '0';
  return [
    {
      type: 'ad_day',
      key: keyOf(row),
      day: row.date_start,
      account: (row.account_name || row.account_id).slice(0, 500),
      campaignKey: row.campaign_id,
      campaign: row.campaign_name.slice(0, 500),
      currency: row.account_currency,
      spend: canonicalAmount(row.spend, row.account_currency),
      impressions: row.impressions,
      clicks: row.clicks,
      conversions: Math.max(0, Number(valueIn(row.actions))),
      value: canonicalAmount(valueIn(row.action_values), row.account_currency),
    },
  ];
}

async function* pull(ctx: PullContext<MetaConfig>, after: DayCursor | null): AsyncIterable<Page<DayCursor>> {
  const timeZone = ctx.account.timeZone ?? PACIFIC;
  const last = dateIn(timeZone, ctx.now());
  const { adAccountId } = ctx.config;
  if (adAccountId === undefined) {
    yield nothingUpTo(last);
    return;
  }
  const from = dateIn(timeZone, ctx.from);
  let since = firstDay(after, { from, last, trailingDays: TRAILING_DAYS, keptDays: KEPT_DAYS });
  let days = WINDOW_DAYS;
  while (since <= last) {
    const until = earlier(last, addDays(since, days - 1));
    try {
      yield* readWindow(ctx, { adAccountId, since, until, last });
      since = addDays(until, 1);
    } catch (error) {
      if (!asksForLess(error, 'days') || since === until) throw error;
      days = countDays({ from: since, to: until }) >> 1;
    }
  }
}

interface Window {
  readonly adAccountId: string;
  readonly since: string;
  readonly until: string;
  readonly last: string;
}

const listing = z.object({
  data: z.array(z.unknown()),
  paging: z.object({ next: z.url().optional() }).nullish(),
});

/** A window that is cut short is read again from its start. */
async function* readWindow(
  ctx: PullContext<MetaConfig>,
  { adAccountId, since, until, last }: Window,
): AsyncIterable<Page<DayCursor>> {
  const query = {
    level: 'campaign',
    time_increment: 1,
    time_range: JSON.stringify({ since, until }),
    fields: Object.keys(adInsight.shape).join(','),
    use_unified_attribution_setting: 'true',
    limit: ROWS_MAX,
  };
  let answer = await ctx.client.request({ path: `/act_${adAccountId}/insights`, query }, ctx.signal);
  let address: string | null = null;
  for (;;) {
    const { data, paging } = readAnswer(listing, answer);
    // The end is where there is no next page: a short or an empty one may be followed by others.
    const next = paging?.next;
    const isLast = next === undefined && until === last;
    const cursor = next === undefined ? readUpTo(until, last) : { next: since, readOn: last };
    yield { records: data, cursor, isLast, notes: isLast ? versionNotes(answer) : [] };
    if (!isLast) await pace(answer, ctx);
    if (next === undefined) return;
    if (next === address) throw new ProviderError('bad_request', 'Meta named the same page twice.');
    address = next;
    answer = await ctx.client.request({ path: withoutToken(next) }, ctx.signal);
  }
}

/** Meta writes the token into its pages' addresses; ours goes in a header. */
function withoutToken(address: string): string {
  const url = new URL(address);
  url.searchParams.delete('access_token');
  return url.href;
}

export const adInsights = defineEntity<MetaConfig, AdInsight, DayCursor>({
  title: 'Ad campaigns by day',
  feeds: 'ads',
  isIn: ({ adAccountId }) => adAccountId !== undefined,
  record: adInsight,
  cursor: dayCursor,
  scan: 'changes',
  idOf: keyOf,
  factsOf,
  pull,
});

import { z } from 'zod';
import { addDays, dateIn } from '../../domain/period.ts';
import type { ProviderAnswer } from '../client.ts';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import { PACIFIC, dayCursor, firstDay, readUpTo, type DayCursor } from './days.ts';
import { nothingUpTo, readAnswer, versionNotes, type MetaConfig } from './graph.ts';
import { Metrics } from './metrics.ts';
import { factsOf, metricDay, metricRecord, type MetricDay, type Role, type Roles } from './social.ts';
import { pace } from './usage.ts';

/** Figures come up to two days late; each day is a request, so no more than a week is read again. */
const TRAILING_DAYS = 7;
/** An account's figures are kept for 90 days. */
const KEPT_DAYS = 90;

/** Nobody tells how many there were on a day that is over: they are counted on the day itself, again by each run. */
const FOLLOWERS = 'followers_count';

/** https://developers.facebook.com/docs/instagram-platform/api-reference/instagram-user/insights */
const INSIGHTS: Roles = new Map<string, Role>([
  ['views', 'impressions'],
  ['reach', null],
  ['total_interactions', 'engagements'],
  ['accounts_engaged', null],
]);
const ROLES: Roles = new Map<string, Role>([...INSIGHTS, [FOLLOWERS, 'followers']]);

const profile = z.object({
  id: z.string().min(1).max(100),
  username: z.string().default(''),
  followers_count: z.unknown().optional(),
});

async function* pull(ctx: PullContext<MetaConfig>, after: DayCursor | null): AsyncIterable<Page<DayCursor>> {
  const last = dateIn(PACIFIC, ctx.now());
  const { instagramId } = ctx.config;
  if (instagramId === undefined) {
    yield nothingUpTo(last);
    return;
  }
  const query = { fields: 'id,username,followers_count' };
  const about = await ctx.client.request({ path: `/${instagramId}`, query }, ctx.signal);
  const { id, username, followers_count: followers } = readAnswer(profile, about);
  const account = { id, name: username };
  const snapshot = followers === undefined ? [] : [metricRecord(account, last, FOLLOWERS, followers)];
  const metrics = new Metrics([...INSIGHTS.keys()]);
  const from = dateIn(PACIFIC, ctx.from);
  let date = firstDay(after, { from, last, trailingDays: TRAILING_DAYS, keptDays: KEPT_DAYS });
  for (; date <= last; date = addDays(date, 1)) {
    const answers = await readDay(ctx, { instagramId, date, metrics });
    const isLast = date === last;
    const told = totalsIn(answers).map(({ name, value }) => metricRecord(account, date, name, value));
    const records = [...told, ...(isLast ? snapshot : [])];
    const notes = [...metrics.takeNotes(), ...(isLast ? versionNotes(answers[0]) : [])];
    yield { records, cursor: readUpTo(date, last), isLast, notes };
    if (!isLast) await pace(answers[0], ctx);
  }
}

interface AskedDay {
  readonly instagramId: string;
  readonly date: string;
  readonly metrics: Metrics;
}

async function readDay(
  { client, signal, now }: PullContext<MetaConfig>,
  { instagramId, date, metrics }: AskedDay,
) {
  const since = midnightOf(date);
  // Today, as far as it is; a range has a second at least.
  const until = Math.max(since + 1, Math.min(midnightOf(addDays(date, 1)), secondsOf(now())));
  const range = { metric_type: 'total_value', period: 'day', since, until };
  return metrics.read((names) =>
    client.request(
      { path: `/${instagramId}/insights`, query: { metric: names.join(','), ...range } },
      signal,
    ),
  );
}

function secondsOf(moment: Date): number {
  return Math.floor(moment.getTime() / 1_000);
}

/** When a day begins in California, in seconds since 1970: at 07:00 UTC in summer, otherwise at 08:00. */
function midnightOf(date: string): number {
  const summer = new Date(`${date}T07:00:00Z`);
  const isDay = dateIn(PACIFIC, summer) === date;
  return secondsOf(summer) + (isDay ? 0 : 3_600);
}

const totals = z.object({
  data: z.array(
    z.object({ name: z.string(), total_value: z.object({ value: z.unknown().optional() }).nullish() }),
  ),
});

/** What is not told of a day was not 0: it comes later, or not at all. */
function totalsIn(answers: readonly ProviderAnswer[]): { name: string; value: unknown }[] {
  return answers
    .flatMap((answer) => readAnswer(totals, answer).data)
    .flatMap(({ name, total_value: total }) =>
      total?.value === undefined ? [] : [{ name, value: total.value }],
    );
}

export const instagramInsights = defineEntity<MetaConfig, MetricDay, DayCursor>({
  title: 'Instagram account by day',
  feeds: 'social',
  isIn: ({ instagramId }) => instagramId !== undefined,
  record: metricDay,
  cursor: dayCursor,
  scan: 'changes',
  idOf: (row) => row.id,
  factsOf: factsOf('instagram', ROLES),
  pull,
});

import { z } from 'zod';
import { addDays, dateIn, isDate } from '../../domain/period.ts';
import type { ProviderAnswer } from '../client.ts';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { PACIFIC, dayCursor, earlier, firstDay, readUpTo, type DayCursor } from './days.ts';
import { nothingUpTo, readAnswer, versionNotes, type MetaConfig } from './graph.ts';
import { Metrics } from './metrics.ts';
import {
  factsOf,
  metricDay,
  metricRecord,
  type MetricDay,
  type Role,
  type Roles,
  type SocialAccount,
} from './social.ts';
import { pace } from './usage.ts';

/** Meta allows 90 in one request; in autumn, those last an hour longer. */
const WINDOW_DAYS = 89;
const TRAILING_DAYS = 28;
/** Meta keeps two years. */
const KEPT_DAYS = 729;

/** https://developers.facebook.com/docs/graph-api/reference/insights */
const ROLES: Roles = new Map<string, Role>([
  ['page_media_view', 'impressions'],
  ['page_total_media_view_unique', null],
  ['page_post_engagements', 'engagements'],
  // All of them, at the end of the day.
  ['page_follows', 'followers'],
]);

const profile = z.object({
  id: z.string().min(1).max(100),
  name: z.string().default(''),
  access_token: z.string().optional(),
});

/** A Page's insights are told to its own token alone, which whoever may work for the Page can ask for. */
async function openPage(ctx: PullContext<MetaConfig>, pageId: string) {
  const query = { fields: 'id,name,access_token' };
  const answer = await ctx.client.request({ path: `/${pageId}`, query }, ctx.signal);
  const { id, name, access_token: token } = readAnswer(profile, answer);
  if (token === undefined)
    throw new ProviderError('forbidden_scope', 'Meta gives us no token for the Page.', {
      scope: 'pages_show_list',
    });
  return { id, name, headers: { authorization: `Bearer ${token}` } };
}

async function* pull(ctx: PullContext<MetaConfig>, after: DayCursor | null): AsyncIterable<Page<DayCursor>> {
  // The day that is under way is not told.
  const last = addDays(dateIn(PACIFIC, ctx.now()), -1);
  const { pageId } = ctx.config;
  if (pageId === undefined) {
    yield nothingUpTo(last);
    return;
  }
  const { headers, ...page } = await openPage(ctx, pageId);
  const metrics = new Metrics([...ROLES.keys()]);
  const from = dateIn(PACIFIC, ctx.from);
  let since = firstDay(after, { from, last, trailingDays: TRAILING_DAYS, keptDays: KEPT_DAYS });
  while (since <= last) {
    const until = earlier(last, addDays(since, WINDOW_DAYS - 1));
    const range = { period: 'day', since, until: addDays(until, 1) };
    const answers = await metrics.read((names) =>
      ctx.client.request(
        { path: `/${pageId}/insights`, query: { metric: names.join(','), ...range }, headers },
        ctx.signal,
      ),
    );
    const isLast = until === last;
    const records = recordsIn(answers, page);
    const notes = [...metrics.takeNotes(), ...(isLast ? versionNotes(answers[0]) : [])];
    yield { records, cursor: readUpTo(until, last), isLast, notes };
    if (!isLast) await pace(answers[0], ctx);
    since = addDays(until, 1);
  }
}

/** `paging` leads to the days before and after, without end: it is not followed. */
const series = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      values: z.array(z.object({ value: z.unknown().optional(), end_time: z.string() })).default([]),
    }),
  ),
});

/** A figure of 0 is left out; no number of followers is none that was told. */
function recordsIn(answers: readonly ProviderAnswer[], page: SocialAccount): unknown[] {
  return answers
    .flatMap((answer) => readAnswer(series, answer).data)
    .flatMap(({ name, values }) =>
      values
        .filter(({ value }) => value !== undefined || ROLES.get(name) !== 'followers')
        .map(({ value, end_time: end }) => metricRecord(page, dayThatEnds(end), name, value)),
    );
}

/** A day ends at midnight in California: at 07:00 or 08:00 of the next one in UTC, in which it is told. */
function dayThatEnds(end: string): string {
  const date = end.slice(0, 10);
  return isDate(date) ? addDays(date, -1) : end;
}

export const pageInsights = defineEntity<MetaConfig, MetricDay, DayCursor>({
  title: 'Facebook Page by day',
  feeds: 'social',
  isIn: ({ pageId }) => pageId !== undefined,
  record: metricDay,
  cursor: dayCursor,
  scan: 'changes',
  idOf: (row) => row.id,
  factsOf: factsOf('facebook', ROLES),
  pull,
});

import { z } from 'zod';
import { decimal } from '../domain/money.ts';
import { GROWTH_METRICS } from '../domain/growth.ts';
import { defineJob } from './define.ts';

const day = z.iso.date().meta({ graphql: 'Date' });
const figure = decimal.meta({ graphql: 'Decimal' });

const metricName = z.enum(GROWTH_METRICS).meta({
  id: 'GrowthMetricName',
  description: 'What is compared week by week; more may come.',
  values: {
    net_revenue: 'Sales less what was paid back',
    orders: 'Orders placed',
    sessions: 'Visits',
    ad_spend: 'What advertising cost',
    ad_impressions: 'Times that advertisements were shown',
    ad_clicks: 'Clicks on advertisements',
    followers: 'Followers on social networks at the end of the week, a level and no sum',
    social_impressions: 'Times that posts were shown',
    engagements: 'What people did with posts',
    emails_sent: 'E-mails of campaigns that were sent',
    email_opens: 'Times that these were opened',
    email_clicks: 'Clicks in these',
    tickets_opened: 'Tickets that came',
    tickets_solved: 'Tickets that were solved',
  } satisfies Readonly<Record<(typeof GROWTH_METRICS)[number], string>>,
});

const week = z
  .object({
    from: day.meta({ description: 'Its Monday' }),
    value: figure.nullable().meta({ description: 'Exact; null where nothing is known, as of followers' }),
    isWhole: z.boolean().meta({ description: 'False for the week that is going on' }),
  })
  .meta({ id: 'GrowthWeek', description: 'One week of a figure.' });

const metric = z
  .object({
    name: metricName.meta({ description: 'What it is' }),
    currency: z.string().nullable().meta({ description: 'ISO 4217, of amounts; null for counts' }),
    thisWeek: figure.nullable().meta({ description: 'From Monday until now' }),
    lastWeek: figure.nullable().meta({ description: 'The whole week before' }),
    soFar: figure.nullable().meta({
      description: 'The days of this week that are over; null on a Monday, which is not over yet',
    }),
    sameDaysLastWeek: figure.nullable().meta({ description: 'The same days of the week before' }),
    changePercent: z.number().nullable().meta({
      description:
        '`soFar` against `sameDaysLastWeek`; null where it cannot be said: nothing to compare with, or not above zero',
    }),
    lastWeekChangePercent: z.number().nullable().meta({
      description: '`lastWeek` against the whole week before it; null as `changePercent`',
    }),
    slopePerWeek: figure.nullable().meta({
      description:
        'By how much it grows each week: the slope of the least squares through the whole weeks, to six digits behind the point; null with less than two of them',
    }),
    weeks: z.array(week).meta({ description: 'Oldest first; the last one is going on' }),
  })
  .meta({ id: 'GrowthMetric', description: 'One figure of the panels, week by week.' });

/** How the figures of the panels change from week to week. */
export const weeklyGrowth = defineJob({
  kind: 'weekly_growth',
  version: 1,
  queue: 'default',
  title: 'Weekly growth',
  input: z.object({
    weeks: z.int().min(2).max(104).default(12).meta({
      description: 'How many weeks, the one that is going on included; 2 to 104',
    }),
  }),
  output: z.object({
    from: day.meta({ description: 'Monday of the first week' }),
    today: day.meta({ description: "The day of the run, in the organization's time zone" }),
    metrics: z.array(metric).meta({
      description: 'Those that an account is connected for, amounts once per currency',
    }),
  }),
  retry: { maxAttempts: 3, backoff: { baseMs: 1_000, maxMs: 30_000 } },
  timeoutMs: 60_000,
  cacheable: true,
  startable: 'api',
});

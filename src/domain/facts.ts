import { z } from 'zod';
import { currencyCode, decimal } from './money.ts';
import { isDate } from './period.ts';

/**
 * What rollups are made of, whatever provider it came from. A fact's `key` is its own within its connection and type:
 * one that comes again with the same key replaces the one before.
 */

const key = z.string().min(1).max(500);
const name = z.string().max(500);
const whole = z.int().min(0);
/** Lines of one order or refund; providers allow some 500. */
export const LINES_MAX = 1_000;
const day = z.string().refine(isDate, { error: 'expected a day as YYYY-MM-DD' });

/** Part of a sale, or of money given back, that is for one product; what no line tells of is shipping, taxes and the like. */
const productLine = z.object({
  /** The product's own within its connection; its name where the provider no longer knows it */
  productKey: key,
  product: name,
  /** Pieces */
  quantity: whole,
  /** For all of them, after discounts, in the currency of the whole */
  amount: decimal,
});
export type ProductLine = z.infer<typeof productLine>;

/** A sale at the moment it was placed, before anything was given back. */
const order = z.object({
  type: z.literal('order'),
  key,
  at: z.date(),
  currency: currencyCode,
  gross: decimal,
  /** Where it was sold, in the provider's words; null: unknown */
  channel: name.nullable(),
  /** Who bought, by the provider's id; null: unknown */
  customerKey: key.nullable(),
  /** What was bought, where the provider tells */
  lines: z.array(productLine).max(LINES_MAX).optional(),
});

/** Money given back, on the day it was. */
const refund = z.object({
  type: z.literal('refund'),
  key,
  /** Of the order that it belongs to, if known */
  orderKey: key.nullable(),
  at: z.date(),
  currency: currencyCode,
  amount: decimal,
  /** What was brought back, where the provider tells */
  lines: z.array(productLine).max(LINES_MAX).optional(),
});

/** One campaign's day, as the ad platform counts its days. */
const adDay = z.object({
  type: z.literal('ad_day'),
  key,
  day,
  account: name,
  campaignKey: key,
  campaign: name,
  currency: currencyCode,
  spend: decimal,
  impressions: whole,
  clicks: whole,
  /** Platforms attribute parts of a conversion */
  conversions: z.number().min(0),
  /** What the conversions were worth */
  value: decimal,
});

/** Windows for which providers are asked for distinct users, which cannot be added up over days. */
export const DISTINCT_WINDOWS = [1, 7, 28, 30, 90, 365] as const;

/** Visits of one day and channel; or, without a channel, the distinct users of a window that ends with the day. */
const trafficDay = z.object({
  type: z.literal('traffic_day'),
  key,
  day,
  windowDays: z.literal(DISTINCT_WINDOWS),
  /** Null: all of them, counted together by the provider */
  channel: name.nullable(),
  sessions: whole,
  pageviews: whole,
  engagedSessions: whole,
  users: whole,
  newUsers: whole,
});

/** One account's day. */
const socialDay = z.object({
  type: z.literal('social_day'),
  key,
  day,
  network: z.enum(['facebook', 'instagram']),
  accountKey: key,
  account: name,
  /** At the end of the day; null: not told for this day */
  followers: whole.nullable(),
  impressions: whole,
  engagements: whole,
});

/** What a campaign that was sent at `at` has come to by now. */
const emailDay = z.object({
  type: z.literal('email_day'),
  key,
  at: z.date(),
  campaign: name,
  list: name.nullable(),
  sent: whole,
  opens: whole,
  clicks: whole,
  unsubscribes: whole,
  bounces: whole,
  revenue: z.object({ amount: decimal, currency: currencyCode }).nullable(),
});

/** A request for help as it stands now. */
const ticket = z.object({
  type: z.literal('ticket'),
  key,
  openedAt: z.date(),
  /** Null: still open */
  solvedAt: z.date().nullable(),
  firstReplyMinutes: z.number().min(0).nullable(),
  satisfaction: z.enum(['good', 'bad']).nullable(),
  channel: name.nullable(),
});

/** One run of an AI agent of the team's own. */
const agentRun = z.object({
  type: z.literal('agent_run'),
  key,
  at: z.date(),
  agent: name,
  succeeded: z.boolean(),
  durationMs: whole,
  tokens: whole,
  cost: z.object({ amount: decimal, currency: currencyCode }).nullable(),
});

export const fact = z.discriminatedUnion('type', [
  order,
  refund,
  adDay,
  trafficDay,
  socialDay,
  emailDay,
  ticket,
  agentRun,
]);
export type Fact = z.infer<typeof fact>;
export type FactType = Fact['type'];
export type FactOf<Type extends FactType> = Extract<Fact, { readonly type: Type }>;

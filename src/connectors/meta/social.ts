import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import { day } from './days.ts';
import { count } from './graph.ts';

/**
 * One metric of one account's day. Metrics are kept apart, as Meta tells them: when it retires one, what it told
 * before stays, while the days around it are read again without it.
 */
export const metricDay = z.object({
  id: z.string().min(1).max(300),
  account_id: z.string(),
  account: z.string(),
  day,
  metric: z.string(),
  value: count,
});
export type MetricDay = z.infer<typeof metricDay>;

/** What a metric counts, in our words; null: it is kept, and no fact is made of it. */
export type Role = 'impressions' | 'engagements' | 'followers' | null;

/** By metric, in the order in which they are asked for. */
export type Roles = ReadonlyMap<string, Role>;

export interface SocialAccount {
  readonly id: string;
  readonly name: string;
}

/** A record as Meta might have sent it: whether its parts make sense is seen later. */
export function metricRecord(account: SocialAccount, date: string, metric: string, value: unknown) {
  const id = `${account.id}:${date}:${metric}`;
  return { id, account_id: account.id, account: account.name, day: date, metric, value };
}

/** The facts of one day add up to what is known of it. */
export function factsOf(network: 'facebook' | 'instagram', roles: Roles): (row: MetricDay) => Fact[] {
  return ({ id, day, account_id: accountKey, account, metric, value }) => {
    const role = roles.get(metric) ?? null;
    if (role === null) return [];
    return [
      {
        type: 'social_day',
        key: id,
        day,
        network,
        accountKey,
        account: account.slice(0, 500),
        followers: role === 'followers' ? value : null,
        impressions: role === 'impressions' ? value : 0,
        engagements: role === 'engagements' ? value : 0,
      },
    ];
  };
}

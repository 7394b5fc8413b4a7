import { z } from 'zod';
import { isDate } from '../../domain/period.ts';
import { busyness, dayNumber, partOf, type Moment } from './calendar.ts';
import { between } from './chance.ts';
import { defineDays } from './days.ts';

const count = z.int().min(0);

const accountDay = z.object({
  id: z.string(),
  day: z.string().refine(isDate),
  network: z.enum(['facebook', 'instagram']),
  accountKey: z.string(),
  account: z.string(),
  followers: count,
  impressions: count,
  engagements: count,
});
type AccountDay = z.infer<typeof accountDay>;

interface SocialAccount {
  readonly network: AccountDay['network'];
  readonly account: string;
  /** On 2026-01-01, and how many more each day */
  readonly followers: number;
  readonly newFollowers: number;
  /** On a usual day */
  readonly impressions: number;
  readonly engagementRate: number;
}

const FIRST_DAY = dayNumber('2026-01-01');

const ACCOUNTS: readonly SocialAccount[] = [
  {
    network: 'facebook',
    account: 'Millrace Demo',
    followers: 8_200,
    newFollowers: 3.4,
    impressions: 2_900,
    engagementRate: 0.021,
  },
  {
    network: 'instagram',
    account: 'millrace.demo',
    followers: 12_600,
    newFollowers: 14.2,
    impressions: 6_400,
    engagementRate: 0.046,
  },
];

/** A page on Facebook and an account on Instagram, day by day. */
export const social = defineDays({
  title: 'Accounts by day',
  feeds: 'social',
  record: accountDay,
  settlingDays: 1,
  pageSize: 300,
  countOf: () => ACCOUNTS.length,
  recordsOf: (day, moment) => ACCOUNTS.map((account) => dayOf(account, day, moment)),
  factsOf: ({ id, ...row }) => [{ type: 'social_day', key: id, ...row }],
});

function dayOf({ network, account, ...usual }: SocialAccount, day: string, moment: Moment): AccountDay {
  const id = `${day} ${network}`;
  const number = dayNumber(day);
  const part = partOf(day, moment);
  const impressions = usual.impressions * busyness(number, network) * part;
  const followers = usual.followers + usual.newFollowers * (number - FIRST_DAY + part);
  return {
    id,
    day,
    network,
    accountKey: network,
    account,
    followers: Math.max(0, Math.floor(followers)),
    impressions: Math.floor(impressions),
    engagements: Math.floor(impressions * usual.engagementRate * between(`${id} liked`, 0.7, 1.3)),
  };
}

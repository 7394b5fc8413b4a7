import { z } from 'zod';
import { currencyCode, decimal } from '../../domain/money.ts';
import { isDate } from '../../domain/period.ts';
import { ProviderError } from '../provider-error.ts';
import { busyness, dayNumber, partOf, type Moment } from './calendar.ts';
import { between, decimalOf } from './chance.ts';
import { defineDays } from './days.ts';

const count = z.int().min(0);

const campaignDay = z.object({
  id: z.string(),
  day: z.string().refine(isDate),
  account: z.string(),
  campaignKey: z.string(),
  campaign: z.string(),
  currency: currencyCode,
  spend: decimal,
  impressions: count,
  clicks: count,
  conversions: z.number().min(0),
  value: decimal,
});
type CampaignDay = z.infer<typeof campaignDay>;

interface Campaign {
  readonly campaignKey: string;
  readonly campaign: string;
  readonly account: string;
  readonly currency: string;
  /** On a usual day, in hundredths */
  readonly spend: number;
  /** In hundredths */
  readonly costPerClick: number;
  readonly clickRate: number;
  /** What comes back for each unit that is spent */
  readonly returns: number;
}

const CAMPAIGNS: readonly Campaign[] = [
  {
    account: 'Demo ads Europe',
    campaignKey: 'brand',
    campaign: 'Brand search',
    currency: 'EUR',
    spend: 4_200,
    costPerClick: 45,
    clickRate: 0.071,
    returns: 6.4,
  },
  {
    account: 'Demo ads Europe',
    campaignKey: 'shopping',
    campaign: 'Shopping feed',
    currency: 'EUR',
    spend: 9_600,
    costPerClick: 62,
    clickRate: 0.018,
    returns: 3.9,
  },
  {
    account: 'Demo ads Europe',
    campaignKey: 'retargeting',
    campaign: 'Come back',
    currency: 'EUR',
    spend: 3_100,
    costPerClick: 80,
    clickRate: 0.009,
    returns: 4.6,
  },
  {
    account: 'Demo ads overseas',
    campaignKey: 'travellers',
    campaign: 'Travellers',
    currency: 'EUR',
    spend: 1_800,
    costPerClick: 95,
    clickRate: 0.012,
    returns: 1.7,
  },
  {
    account: 'Demo ads overseas',
    campaignKey: 'launch',
    campaign: 'US launch',
    currency: 'USD',
    spend: 5_400,
    costPerClick: 130,
    clickRate: 0.014,
    returns: 1.3,
  },
];

/** For what an order is worth on average, in hundredths */
const CONVERSION_VALUE = 8_000;
/** As long as it lets nobody in, in ms */
const PAUSE_MS = 3_000;

/** Campaigns by day, of two ad accounts and in two currencies. */
export const ads = defineDays({
  title: 'Campaigns by day',
  feeds: 'ads',
  record: campaignDay,
  settlingDays: 1,
  pageSize: 400,
  countOf: () => CAMPAIGNS.length,
  recordsOf: (day, moment) => CAMPAIGNS.map((campaign) => dayOf(campaign, day, moment)),
  factsOf: ({ id, ...row }) => [{ type: 'ad_day', key: id, ...row }],
  trouble: (now) =>
    new ProviderError('rate_limited', 'Demo ads asks for a pause, as providers do while a lot is read.', {
      resumeAt: new Date(now.getTime() + PAUSE_MS),
    }),
});

function dayOf(
  { campaignKey, campaign, account, currency, ...usual }: Campaign,
  day: string,
  moment: Moment,
): CampaignDay {
  const id = `${day} ${campaignKey}`;
  const spend = usual.spend * busyness(dayNumber(day), campaignKey) * partOf(day, moment);
  const clicks = spend / (usual.costPerClick * between(`${id} click`, 0.85, 1.15));
  const value = spend * usual.returns * between(`${id} returns`, 0.6, 1.4);
  return {
    id,
    day,
    account,
    campaignKey,
    campaign,
    currency,
    spend: decimalOf(Math.floor(spend)),
    impressions: Math.floor(clicks / (usual.clickRate * between(`${id} shown`, 0.8, 1.2))),
    clicks: Math.floor(clicks),
    // Parts of a conversion are attributed.
    conversions: Math.floor((value / CONVERSION_VALUE) * 10) / 10,
    value: decimalOf(Math.floor(value)),
  };
}

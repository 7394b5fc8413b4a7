import fc from 'fast-check';
import { DISTINCT_WINDOWS, type Fact } from '../../src/domain/facts.ts';
import type { RecordRow } from '../../src/repositories/fact-pages.ts';

/** A record whose raw data is what it says, so that one SQL over the raw rows can be compared. */
export const record = (key: string, facts: readonly Fact[]): RecordRow => ({ key, data: { facts }, facts });

/** Around both changes of the clock in Berlin, and midnight there. */
const MOMENTS = [
  '2026-03-28T22:30:00Z',
  '2026-03-29T01:30:00Z',
  '2026-03-29T21:59:59Z',
  '2026-03-29T22:00:00Z',
  '2026-10-25T00:30:00Z',
];
const moment = fc.constantFrom(...MOMENTS).map((text) => new Date(text));
const day = fc.constantFrom('2026-03-28', '2026-03-29', '2026-03-30');
const currency = fc.constantFrom('EUR', 'JPY', 'KWD');
const amount = fc.constantFrom('0', '12.5', '0.000001', '99999999999.999999', '7');
const whole = fc.nat({ max: 1_000_000 });
const channel = fc.option(fc.constantFrom('web', 'pos'));

const line = fc.record({
  productKey: fc.constantFrom('p1', 'p2'),
  product: fc.constant('A product'),
  quantity: fc.nat({ max: 9 }),
  amount,
});
/** Known or not; two may be of the same product. */
const withLines = fc
  .option(fc.array(line, { maxLength: 3 }), { nil: undefined })
  .map((lines) => (lines === undefined ? {} : { lines }));

const sale = (key: string): fc.Arbitrary<Fact[]> =>
  fc
    .record({
      ...{ at: moment, currency, gross: amount, channel, lines: withLines },
      refunds: fc.array(fc.record({ at: moment, amount, lines: withLines }), { maxLength: 2 }),
    })
    .map(({ refunds, lines, ...order }): Fact[] => [
      { type: 'order', key, ...order, customerKey: null, ...lines },
      ...refunds.map(({ lines: returned, ...refund }, index): Fact => ({
        ...{ type: 'refund', key: `${key}-${index}`, orderKey: key, currency: order.currency },
        ...refund,
        ...returned,
      })),
    ]);

const adDay = (key: string): fc.Arbitrary<Fact[]> =>
  fc
    .record({
      ...{ day, currency, spend: amount, impressions: whole, clicks: whole },
      conversions: fc.constantFrom(0, 0.1, 0.5, 3),
    })
    .map((given): Fact[] => [
      {
        ...{ type: 'ad_day', key, account: 'a', campaignKey: `c${key}`, campaign: 'C', value: given.spend },
        ...given,
      },
    ]);

const ticket = (key: string): fc.Arbitrary<Fact[]> =>
  fc
    .record({
      openedAt: moment,
      solvedAt: fc.option(moment),
      firstReplyMinutes: fc.option(fc.constantFrom(0, 1, 30, 90_000)),
      satisfaction: fc.option(fc.constantFrom('good' as const, 'bad' as const)),
      channel,
    })
    .map((given): Fact[] => [{ type: 'ticket', key, ...given }]);

const visits = (key: string): fc.Arbitrary<Fact[]> =>
  fc
    .record({
      ...{
        day,
        windowDays: fc.constantFrom(...DISTINCT_WINDOWS),
        channel,
        sessions: whole,
        pageviews: whole,
      },
      ...{ engagedSessions: whole, users: whole, newUsers: whole },
    })
    .map((given): Fact[] => [{ type: 'traffic_day', key, ...given }]);

const socialDay = (key: string): fc.Arbitrary<Fact[]> =>
  fc
    .record({ day, followers: fc.option(whole), impressions: whole, engagements: whole })
    .map((given): Fact[] => [
      { type: 'social_day', key, network: 'facebook', accountKey: key, account: 'Page', ...given },
    ]);

const campaign = (key: string): fc.Arbitrary<Fact[]> =>
  fc
    .record({ at: moment, sent: whole, opens: whole, clicks: whole, unsubscribes: whole, bounces: whole })
    .map((given): Fact[] => [
      { type: 'email_day', key, campaign: 'Hello', list: null, revenue: null, ...given },
    ]);

/** What a record of this key says in one of its versions. */
const version = (key: string): fc.Arbitrary<RecordRow> =>
  fc
    .oneof(
      { weight: 3, arbitrary: sale(key) },
      ...[adDay, ticket, visits, socialDay, campaign].map((of) => of(key)),
    )
    .map((facts) => record(key, facts));

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8'];

/** Older versions of some records, then the last of each, and which of them are gone at the end. */
export const recordHistory = fc.record({
  older: fc.array(fc.constantFrom(...KEYS).chain(version), { maxLength: 8 }),
  last: fc.tuple(...KEYS.map(version)),
  gone: fc.subarray(KEYS, { maxLength: 4 }),
  /** In which the last ones come, each twice */
  order: fc.shuffledSubarray([...KEYS, ...KEYS], { minLength: 2 * KEYS.length }),
  pageSize: fc.integer({ min: 1, max: 5 }),
});

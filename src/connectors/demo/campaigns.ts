import { z } from 'zod';
import { decimal } from '../../domain/money.ts';
import { ProviderError } from '../provider-error.ts';
import { DAY_MS, dayNumber, level, weekdayOf, type Moment } from './calendar.ts';
import { between, decimalOf } from './chance.ts';
import { defineDays } from './days.ts';

const count = z.int().min(0);

const campaign = z.object({
  id: z.string(),
  sentAt: z.iso.datetime(),
  title: z.string(),
  list: z.string(),
  sent: count,
  opens: count,
  clicks: count,
  unsubscribes: count,
  bounces: count,
  revenue: decimal,
});
type Campaign = z.infer<typeof campaign>;

/** By weekday, 0 for Sunday */
const TITLES: Readonly<Record<number, string>> = { 2: 'What is new', 5: 'For the weekend' };
const SENT_AT_MS = 9 * 60 * 60_000;
const USUAL_READERS = 4_200;
/** Mails are opened for so many days after they were sent. */
const READ_DAYS = 6;

/** Newsletters, on Tuesdays and Fridays at 9:00 UTC, and what they have come to by now. */
export const campaigns = defineDays({
  title: 'Campaigns',
  feeds: 'email',
  record: campaign,
  settlingDays: READ_DAYS,
  pageSize: 50,
  countOf: (day) => (titleOf(day) === null ? 0 : 1),
  recordsOf: campaignsOf,
  factsOf: ({ id, sentAt, title, revenue, ...row }) => [
    {
      type: 'email_day',
      key: id,
      at: new Date(sentAt),
      campaign: title,
      revenue: { amount: revenue, currency: 'EUR' },
      ...row,
    },
  ],
  trouble: () =>
    new ProviderError('transient', 'Demo email does not answer. It fails once, to be seen recovering.'),
});

function titleOf(day: string): string | null {
  return TITLES[weekdayOf(dayNumber(day))] ?? null;
}

function campaignsOf(day: string, { now }: Moment): Campaign[] {
  const title = titleOf(day);
  const sentMs = dayNumber(day) * DAY_MS + SENT_AT_MS;
  const agoMs = now.getTime() - sentMs;
  if (title === null || agoMs < 0) return [];
  // Most is read on the first day.
  const part = Math.min(1, agoMs / (READ_DAYS * DAY_MS)) ** 0.35;
  const sent = Math.round(USUAL_READERS * level(dayNumber(day)));
  const opens = sent * between(`${day} opens`, 0.28, 0.42) * part;
  const clicks = opens * between(`${day} clicks`, 0.08, 0.16);
  return [
    {
      id: day,
      sentAt: new Date(sentMs).toISOString(),
      title: `${title}, ${day}`,
      list: 'Newsletter',
      sent,
      opens: Math.floor(opens),
      clicks: Math.floor(clicks),
      unsubscribes: Math.floor(sent * between(`${day} leave`, 0.001, 0.004) * part),
      bounces: Math.floor(sent * between(`${day} bounce`, 0.004, 0.012)),
      revenue: decimalOf(Math.floor(clicks * between(`${day} worth`, 180, 420))),
    },
  ];
}

import { z } from 'zod';
import { DISTINCT_WINDOWS } from '../../domain/facts.ts';
import { isDate } from '../../domain/period.ts';
import { busyness, dayNumber, level, partOf } from './calendar.ts';
import { between } from './chance.ts';
import { defineDays } from './days.ts';

const count = z.int().min(0);

const visits = z.object({
  id: z.string(),
  day: z.string().refine(isDate),
  windowDays: z.literal(DISTINCT_WINDOWS),
  channel: z.string().nullable(),
  sessions: count,
  pageviews: count,
  engagedSessions: count,
  users: count,
  newUsers: count,
});
type Visits = z.infer<typeof visits>;

const USUAL_SESSIONS = 900;
const SHARES = {
  'Organic Search': 0.38,
  Direct: 0.22,
  'Paid Search': 0.16,
  'Organic Social': 0.13,
  Email: 0.07,
  Referral: 0.04,
};
const USERS_PER_SESSION = 0.82;
const NEW_USERS = 0.45;

/** Visits by day and channel, by day, and the distinct users of each longer window that ends with a day. */
export const traffic = defineDays({
  title: 'Traffic',
  feeds: 'traffic',
  record: visits,
  settlingDays: 1,
  pageSize: 400,
  countOf: () => Object.keys(SHARES).length + DISTINCT_WINDOWS.length,
  recordsOf(day, moment) {
    const number = dayNumber(day);
    const part = partOf(day, moment);
    const sessions = sessionsOn(number) * part;
    const channels = Object.entries(SHARES).map(([channel, share]) => {
      const own = sessions * share;
      return visitsOf(`${day} 1 ${channel}`, day, 1, channel, own, own * USERS_PER_SESSION);
    });
    return [...channels, ...windowsOf(day, number, part)];
  },
  factsOf: ({ id, ...row }) => [{ type: 'traffic_day', key: id, ...row }],
});

function sessionsOn(number: number): number {
  return USUAL_SESSIONS * busyness(number, 'visits');
}

/** Who comes again within a window counts once in it, so that users grow slower than the days. */
function windowsOf(day: string, number: number, part: number): Visits[] {
  let sessions = sessionsOn(number) * part;
  let days = 1;
  return DISTINCT_WINDOWS.map((windowDays) => {
    for (; days < windowDays; days += 1) sessions += sessionsOn(number - days);
    const users =
      windowDays === 1
        ? sessions * USERS_PER_SESSION * 0.97
        : USUAL_SESSIONS * USERS_PER_SESSION * level(number) * (windowDays - 1 + part) ** 0.85;
    return visitsOf(`${day} ${windowDays}`, day, windowDays, null, sessions, users);
  });
}

function visitsOf(
  id: string,
  day: string,
  windowDays: Visits['windowDays'],
  channel: string | null,
  sessions: number,
  users: number,
): Visits {
  return {
    id,
    day,
    windowDays,
    channel,
    sessions: Math.floor(sessions),
    pageviews: Math.floor(sessions * between(`pages ${id}`, 2.6, 3.6)),
    engagedSessions: Math.floor(sessions * between(`engaged ${id}`, 0.52, 0.68)),
    users: Math.floor(users),
    newUsers: Math.floor(users * NEW_USERS),
  };
}

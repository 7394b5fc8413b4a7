import { z } from 'zod';
import { busyness, DAY_MS, dayNumber, timeWithin } from './calendar.ts';
import { between, chance, pick } from './chance.ts';
import { defineDays } from './days.ts';

const ticket = z.object({
  id: z.string(),
  openedAt: z.iso.datetime(),
  repliedAt: z.iso.datetime().nullable(),
  solvedAt: z.iso.datetime().nullable(),
  rating: z.enum(['good', 'bad']).nullable(),
  channel: z.string(),
});
type Ticket = z.infer<typeof ticket>;

const USUAL_TICKETS = 8;
const MINUTE_MS = 60_000;
const CHANNELS = { email: 0.46, chat: 0.3, web: 0.18, phone: 0.06 };
/** What is solved at all is solved within these days. */
const SOLVE_DAYS = 4;

/** Requests for help as they stand now. Those of a day are all opened on that day in UTC. */
export const tickets = defineDays({
  title: 'Tickets',
  feeds: 'support',
  record: ticket,
  settlingDays: SOLVE_DAYS,
  pageSize: 400,
  countOf: ticketsOn,
  recordsOf: (day, { now }) =>
    Array.from({ length: ticketsOn(day) }, (_, index) => ticketOf(day, index, now.getTime())).filter(
      ({ openedAt }) => Date.parse(openedAt) <= now.getTime(),
    ),
  factsOf: ({ id, openedAt, repliedAt, solvedAt, rating, channel }) => [
    {
      type: 'ticket',
      key: id,
      channel,
      satisfaction: rating,
      openedAt: new Date(openedAt),
      solvedAt: solvedAt === null ? null : new Date(solvedAt),
      firstReplyMinutes:
        repliedAt === null ? null : (Date.parse(repliedAt) - Date.parse(openedAt)) / MINUTE_MS,
    },
  ],
});

function ticketsOn(day: string): number {
  return Math.round(USUAL_TICKETS * busyness(dayNumber(day), 'tickets'));
}

function ticketOf(day: string, index: number, nowMs: number): Ticket {
  const id = `${day}-${index + 1}`;
  const topic = `ticket ${id}`;
  const openedMs = timeWithin(dayNumber(day), topic);
  // From 2 minutes to 16 hours, mostly about three quarters of an hour.
  const repliedMs = openedMs + Math.floor(2 * 480 ** between(`${topic} reply`, 0, 1)) * MINUTE_MS;
  const solvedMs =
    repliedMs + Math.floor((SOLVE_DAYS * DAY_MS + openedMs - repliedMs) * chance(`${topic} solve`) ** 2);
  // One in a hundred stays open.
  const isSolved = solvedMs <= nowMs && chance(`${topic} stays`) >= 0.01;
  return {
    id,
    openedAt: new Date(openedMs).toISOString(),
    repliedAt: repliedMs <= nowMs ? new Date(repliedMs).toISOString() : null,
    solvedAt: isSolved ? new Date(solvedMs).toISOString() : null,
    rating: isSolved ? ratingOf(topic) : null,
    channel: pick(`${topic} channel`, CHANNELS, 'email'),
  };
}

/** Not half of the people answer, and nine of ten of those are content. */
function ratingOf(topic: string): Ticket['rating'] {
  const draw = chance(`${topic} rating`);
  if (draw >= 0.45) return null;
  return draw < 0.4 ? 'good' : 'bad';
}

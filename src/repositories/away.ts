import { z } from 'zod';

/** Lost or refused connections, a server that shuts down, starts up, or takes no more: the same call may work soon. */
const SQLSTATES = /^(08\w{3}|57P0[123]|53300)$/;
const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);
/** Not reachable, timed out, closed; and no connection free in time */
const PRISMA_CODES = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024']);
/** Prisma hides the server's own code in its text. */
const PRISMA_DATABASE_ERROR = /^(?=[^]*Code: `(\w{5})`)/;
/** pg and its pool give these no code. */
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

const CAUSES_MAX = 5;
const coded = z.object({ code: z.string() });

/** Whether PostgreSQL could not be reached, as opposed to: it answered, and something else is wrong. */
export function isDatabaseAway(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > CAUSES_MAX) return false;
  const code = coded.safeParse(error).data?.code ?? '';
  if (SYSTEM_CODES.has(code) || PRISMA_CODES.has(code) || SQLSTATES.test(code)) return true;
  if (code.startsWith('P') && SQLSTATES.test(PRISMA_DATABASE_ERROR.exec(error.message)?.[1] ?? ''))
    return true;
  return MESSAGES.test(error.message) || isDatabaseAway(error.cause, depth + 1);
}

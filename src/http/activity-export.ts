import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { activityOf, type AuditTrail } from '../auth/audit-trail.ts';
import { bearerToken } from '../auth/authenticate.ts';
import type { Authenticate, Credentials } from '../auth/authentication.ts';
import type { RateLimiter } from '../auth/rate-limiter.ts';
import type { Principal } from '../auth/principal.ts';
import { originOf, type Activity, type ActivityFilter } from '../domain/activity.ts';
import type { ApiLimits } from '../domain/api-limits.ts';
import { toPublicId } from '../domain/ids.ts';
import { toError } from '../lib/abort.ts';
import { attachment } from '../lib/content-disposition.ts';
import type { Log } from '../lib/log.ts';
import { readActivityPage } from '../repositories/activities.ts';
import type { Sql } from '../repositories/db.ts';
import { csvLine } from '../services/csv/writer.ts';
import { IDLE_TIMEOUT_MS } from './deps.ts';
import { refuse, type Refusal } from './reply.ts';
import { urlOf } from './signed-request.ts';

interface ActivityExportDeps {
  readonly db: Sql;
  readonly authenticate: Authenticate;
  readonly audit: AuditTrail;
  readonly rateLimiter: RateLimiter;
  /** What an export costs of its caller's points: as much as all else may cost in a second */
  readonly limits: Pick<ApiLimits, 'pointsPerSecond'>;
  readonly log: Log;
  /** A client that takes no byte for so long is cut off, in ms; default 30,000 */
  readonly idleTimeoutMs?: number;
}

/** Rows in memory at once, and of one statement. */
const PAGE_SIZE = 500;
const ACTIONS_MAX = 100;

interface Format {
  readonly contentType: string;
  readonly head: string;
  readonly line: (activity: Activity) => string;
}

const COLUMNS = [
  'id',
  'at',
  'actor',
  'action',
  'audit',
  'objectType',
  'objectId',
  'succeeded',
  'summary',
  'address',
  'userAgent',
  'requestId',
  'details',
] as const;

const FORMATS: ReadonlyMap<string, Format> = new Map([
  [
    '/activity.csv',
    {
      contentType: 'text/csv; charset=utf-8',
      head: csvLine(COLUMNS, ','),
      line: (activity) => csvLine(cellsOf(activity), ','),
    },
  ],
  [
    '/activity.jsonl',
    {
      contentType: 'application/jsonl; charset=utf-8',
      head: '',
      line: (activity) => `${JSON.stringify(shownOf(activity))}\n`,
    },
  ],
]);

/** `GET /activity.csv` and `/activity.jsonl`: all activities that match, newest first, for admins. @returns false for other paths */
export function createActivityExport(
  deps: ActivityExportDeps,
): (req: IncomingMessage, res: ServerResponse, requestId: string) => Promise<boolean> {
  return async (req, res, requestId) => {
    const url = urlOf(req);
    const format = FORMATS.get(url?.pathname ?? '');
    if (!url || !format) return false;
    const asked = await ask(deps, req, url);
    if ('status' in asked) refuse(req, res, asked);
    else await send(deps, res, { ...asked, format, url, requestId, origin: originOf(req) });
    return true;
  };
}

interface Asked {
  readonly principal: Principal;
  readonly filter: ActivityFilter;
}

/** @returns what may be sent, or why nothing may */
async function ask(deps: ActivityExportDeps, req: IncomingMessage, url: URL): Promise<Asked | Refusal> {
  if (req.method !== 'GET') {
    return {
      status: 405,
      code: 'METHOD_NOT_ALLOWED',
      message: 'Get the file with GET.',
      headers: { Allow: 'GET' },
    };
  }
  const authentication = await deps.authenticate(credentialsOf(req)).catch((err: unknown) => {
    deps.log.warn({ err }, 'a caller could not be authenticated');
    return null;
  });
  if (!authentication)
    return {
      status: 503,
      code: 'UNAVAILABLE',
      message: 'It cannot be told just now who you are. Try again.',
    };
  const { principal, refusal } = authentication;
  if (refusal) {
    return refusal.code === 'FORBIDDEN'
      ? { ...refusal, status: 403 }
      : { ...refusal, status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="millrace"' } };
  }
  if (!principal.permissions.has('read_activity'))
    return { status: 403, code: 'FORBIDDEN', message: 'This needs the permission READ_ACTIVITY.' };
  const filter = query.safeParse(valuesOf(url.searchParams));
  if (!filter.success) return { status: 400, code: 'BAD_REQUEST', message: z.prettifyError(filter.error) };
  return (await tooMany(deps, principal)) ?? { principal, filter: filter.data };
}

async function tooMany(
  { rateLimiter, limits }: ActivityExportDeps,
  { credential }: Principal,
): Promise<Refusal | null> {
  const { isAllowed, resetSeconds } = await rateLimiter.take(credential, limits.pointsPerSecond);
  if (isAllowed) return null;
  return {
    status: 429,
    code: 'RATE_LIMITED',
    message: `There were too many requests just now. Try again in ${resetSeconds} s.`,
    headers: { 'Retry-After': String(resetSeconds) },
  };
}

function credentialsOf({ headers }: IncomingMessage): Credentials | null {
  const token = bearerToken(headers.authorization);
  const organization = headers['x-organization'];
  if (token === null) return null;
  return { token, organization: typeof organization === 'string' && organization ? organization : null };
}

const oneOf = <T>(schema: z.ZodType<T>) =>
  z
    .array(schema)
    .max(1, { error: 'expected at most one' })
    .optional()
    .transform((values) => values?.[0] ?? null);
const text = z.string().min(1, { error: 'expected a value' }).max(1_000);
const moment = z.iso
  .datetime({ offset: true, error: 'expected a moment such as 2026-11-28T09:30:00Z' })
  .transform((at) => new Date(at));
const flag = z
  .enum(['true', 'false'], { error: 'expected true or false' })
  .transform((value) => value === 'true');

/** The same as `ActivityFilter` of GraphQL; `action` may come several times. */
const query = z
  .strictObject({
    actor: oneOf(text),
    action: z.array(text).max(ACTIONS_MAX).optional(),
    objectType: oneOf(text),
    objectId: oneOf(text),
    after: oneOf(moment),
    before: oneOf(moment),
    audit: oneOf(flag),
    succeeded: oneOf(flag),
  })
  .transform(({ action, audit, ...rest }) => ({ ...rest, actions: action ?? null, isAudit: audit }));

function valuesOf(params: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)]));
}

interface Export extends Asked {
  readonly format: Format;
  readonly url: URL;
  readonly requestId: string;
  readonly origin: ReturnType<typeof originOf>;
}

async function send(deps: ActivityExportDeps, res: ServerResponse, asked: Export): Promise<void> {
  const { format, url, principal, filter } = asked;
  const details = { path: url.pathname };
  await deps.audit.note([
    activityOf(asked, {
      action: 'exportActivity',
      isAudit: true,
      objectType: null,
      objectId: null,
      succeeded: true,
      summary: 'Export activity',
      details,
    }),
  ]);
  const idleTimeoutMs = deps.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  res.setTimeout(idleTimeoutMs, () => res.destroy());
  res.writeHead(200, {
    'Content-Type': format.contentType,
    'Content-Disposition': attachment(url.pathname.slice(1)),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  const lines = linesOf(deps.db, principal.organization.id, filter, format);
  try {
    await pipeline(Readable.from(lines, { objectMode: false }), res);
  } catch (error) {
    // The cut connection tells the client that the file is not whole.
    if (res.destroyed) deps.log.info({ err: toError(error) }, 'an export of activities was broken off');
    res.destroy();
  } finally {
    res.setTimeout(0);
  }
}

/** A page at a time: the next is read when the client has taken the one before. */
async function* linesOf(
  db: Sql,
  organizationId: string,
  filter: ActivityFilter,
  { head, line }: Format,
): AsyncGenerator<string> {
  if (head !== '') yield head;
  let before: string | null = null;
  for (;;) {
    const page: Activity[] = await readActivityPage(db, organizationId, filter, { limit: PAGE_SIZE, before });
    const last = page.at(-1);
    if (last) yield page.map(line).join('');
    if (!last || page.length < PAGE_SIZE) return;
    before = last.id;
  }
}

function shownOf({ isAudit, id, at, ...rest }: Activity): Record<(typeof COLUMNS)[number], unknown> {
  return { ...rest, id: toPublicId('activity', id), at: at.toISOString(), audit: isAudit };
}

function cellsOf(activity: Activity): string[] {
  const shown = shownOf(activity);
  return COLUMNS.map((column) => {
    const value = shown[column];
    if (value === null || value === undefined) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

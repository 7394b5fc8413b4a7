import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { Authorization } from './authorization.ts';
import { startMockServer, type MockAnswer, type MockRequest, type MockServer } from './mock-server.ts';
import { zendeskContract } from './zendesk-contract.ts';

const CLIENT = { client_id: 'millrace_sync', client_secret: secretOf('client') };
const MINUTE_MS = 60_000;
const TOKEN_LIFE_S = 1_800;

/** Zendesk's tokens are 64 hexadecimal digits. */
function secretOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

/** A ticket as the mock keeps it. */
export interface ZendeskTicket {
  readonly id: number;
  readonly [field: string]: unknown;
}

interface Change {
  readonly at: Date;
  readonly ticket: ZendeskTicket;
  readonly metrics: Readonly<Record<string, unknown>> | null;
}

interface ZendeskOptions {
  now(): Date;
}

export interface ZendeskMock extends MockServer {
  /** What a connection to this account holds at first */
  readonly credentials: Readonly<Record<string, string>>;
  readonly clientOnlyCredentials: Readonly<Record<string, string>>;
  /** To be changed by a test */
  readonly settings: {
    role: string;
    scope: string;
    /** Rows of a page, however many are asked for */
    rowsMax: number;
    exportsPerMinute: number;
    /** Whether answers tell of the limit of exports */
    tellsLimits: boolean;
    /** Requests that the account has left, and seconds until it has more; null: not told */
    account: { left: number; resets: number } | null;
    metricsPlace: 'beside' | 'inside';
    /** Where the next page is said to be */
    nextHost: string;
    timeZone: string | null;
  };
  /** Where a person allows access */
  readonly authorization: Authorization;
  /** Requests that were answered 429 by the mock itself */
  readonly refusals: () => number;
  readonly tokenRequests: () => number;
  put(ticket: ZendeskTicket, metrics?: Readonly<Record<string, unknown>>, at?: Date): void;
  /** From now on, the access token that is out there is refused */
  expireToken(): void;
  /** What a person does who disconnects the app */
  revokeAll(): void;
}

/** An account at Zendesk: tickets in the order of their last change, OAuth tokens that rotate, limits by the minute. */
export async function startZendesk({ now }: ZendeskOptions): Promise<ZendeskMock> {
  const account = new ZendeskAccount(now);
  const server = await startMockServer({
    handle: (request) => account.answer(request),
    contract: await zendeskContract(),
  });
  account.settings.nextHost = server.url;
  const { access, refresh } = account.issue(true);
  const client = { clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret };
  return {
    ...server,
    settings: account.settings,
    authorization: account.authorization,
    credentials: { ...client, accessToken: access, refreshToken: refresh ?? '' },
    clientOnlyCredentials: { ...client, accessToken: account.issue(false).access },
    refusals: () => account.refusals,
    tokenRequests: () => server.requests.filter(({ path }) => path === '/oauth/tokens').length,
    put: (ticket, metrics, at) =>
      account.put(ticket, metrics ?? null, at ?? new Date(now().getTime() - 2 * MINUTE_MS)),
    expireToken: () => account.accessTokens.clear(),
    revokeAll() {
      account.accessTokens.clear();
      account.refreshTokens.clear();
    },
  };
}

class ZendeskAccount {
  readonly settings: ZendeskMock['settings'] = {
    role: 'admin',
    scope: 'read',
    rowsMax: 1_000,
    exportsPerMinute: 10,
    tellsLimits: true,
    account: null,
    metricsPlace: 'beside',
    nextHost: '',
    timeZone: 'America/New_York',
  };
  /** With the moment in which each ends, in ms since 1970 */
  readonly accessTokens = new Map<string, number>();
  /** With the access token that came with each */
  readonly refreshTokens = new Map<string, string>();
  refusals = 0;
  readonly authorization = new Authorization({
    clientId: CLIENT.client_id,
    scope: 'read',
    knowsPkce: true,
  });
  readonly #now: () => Date;
  #changes: Change[] = [];
  #issued = 0;
  #window = { endsAt: 0, used: 0 };

  constructor(now: () => Date) {
    this.#now = now;
  }

  put(ticket: ZendeskTicket, metrics: Readonly<Record<string, unknown>> | null, at: Date): void {
    this.#changes = [
      ...this.#changes.filter((change) => change.ticket.id !== ticket.id),
      { ticket, metrics, at },
    ];
  }

  issue(withRefresh: boolean): { access: string; refresh: string | null } {
    this.#issued += 1;
    const access = secretOf(`access ${this.#issued}`);
    const refresh = withRefresh ? secretOf(`refresh ${this.#issued}`) : null;
    this.accessTokens.set(access, this.#now().getTime() + TOKEN_LIFE_S * 1_000);
    if (refresh !== null) this.refreshTokens.set(refresh, access);
    return { access, refresh };
  }

  answer(request: MockRequest): MockAnswer {
    const { method, path, headers } = request;
    if (method === 'POST' && path === '/oauth/tokens') return this.#grant(request);
    if (path === '/oauth/authorizations/new') return this.authorization.authorize(request);
    if (method !== 'GET') return problem(404, 'InvalidEndpoint', 'Not found');
    if (headers.accept !== 'application/json')
      return problem(406, 'NotAcceptable', 'Ask for application/json');
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if ((this.accessTokens.get(token ?? '') ?? 0) <= this.#now().getTime())
      return {
        status: 401,
        json: {
          error: 'invalid_token',
          error_description: `The access token provided is expired, revoked, malformed or invalid: ${token ?? ''}`,
        },
      };
    if (path === '/api/v2/users/me') return this.#me(request);
    if (path === '/api/v2/account/settings') return this.#accountSettings(request);
    if (path === '/api/v2/incremental/tickets/cursor') return this.#export(request);
    return problem(404, 'InvalidEndpoint', 'Not found');
  }

  #grant({ body, headers }: MockRequest): MockAnswer {
    const refused = (error: string, error_description: string): MockAnswer => ({
      status: error === 'invalid_client' ? 401 : 400,
      json: { error, error_description },
    });
    if (headers['content-type'] !== 'application/json')
      return refused('invalid_request', 'JSON is expected.');
    const sent: unknown = JSON.parse(body);
    const byCode = codeGrant.safeParse(sent);
    if (byCode.success)
      return this.authorization.redeem(byCode.data) ? this.#give(true) : refused('invalid_grant', body);
    const byRefreshToken = z
      .strictObject({
        grant_type: z.literal('refresh_token'),
        refresh_token: z.string(),
        client_id: z.string(),
        client_secret: z.string(),
      })
      .safeParse(sent);
    const asClient = { grant_type: 'client_credentials', scope: 'read', ...CLIENT };
    if (!byRefreshToken.success) {
      if (!isDeepStrictEqual(sent, asClient))
        return refused('invalid_client', 'Client authentication failed.');
      return this.#give(false);
    }
    const { refresh_token, client_id, client_secret } = byRefreshToken.data;
    if (client_id !== CLIENT.client_id || client_secret !== CLIENT.client_secret)
      return refused('invalid_client', 'Client authentication failed.');
    const access = this.refreshTokens.get(refresh_token);
    if (access === undefined)
      return refused('invalid_grant', `The refresh token ${refresh_token} is invalid, expired or revoked.`);
    this.refreshTokens.delete(refresh_token);
    this.accessTokens.delete(access);
    return this.#give(true);
  }

  #give(withRefresh: boolean): MockAnswer {
    const { access, refresh } = this.issue(withRefresh);
    const common = {
      access_token: access,
      token_type: 'bearer',
      scope: this.settings.scope,
      expires_in: TOKEN_LIFE_S,
    };
    return {
      json:
        refresh === null
          ? common
          : { ...common, refresh_token: refresh, refresh_token_expires_in: 7_776_000 },
    };
  }

  #me({ query }: MockRequest): MockAnswer {
    if (query.size > 0) return problem(400, 'BadRequest', 'Unknown parameter');
    const { role } = this.settings;
    return {
      json: {
        user: { id: 35436, name: 'Johnny Agent', role, iana_time_zone: 'Europe/Copenhagen', locale: 'en-US' },
      },
    };
  }

  #accountSettings({ query }: MockRequest): MockAnswer {
    if (query.size > 0) return problem(400, 'BadRequest', 'Unknown parameter');
    const { role, timeZone } = this.settings;
    if (role === 'end-user') return problem(403, 'Forbidden', 'You do not have access to this page.');
    const zone = timeZone === null ? {} : { iana_time_zone: timeZone };
    return { json: { settings: { localization: { locale_ids: [1], ...zone } } } };
  }

  #export({ query }: MockRequest): MockAnswer {
    const limits = this.#take();
    if (limits.isOver) {
      this.refusals += 1;
      return {
        ...problem(
          429,
          'TooManyRequests',
          'Number of allowed incremental export API requests per minute exceeded',
        ),
        headers: limits.headers,
      };
    }
    const { role, scope } = this.settings;
    if (!/\bread\b/.test(scope))
      return {
        status: 403,
        json: { error: 'invalid_scope', error_description: 'The token lacks the scope.' },
      };
    if (role !== 'admin') return problem(403, 'Forbidden', 'You do not have access to this page.');
    const page = this.#page(query);
    return { ...page, headers: limits.headers };
  }

  /** A fixed window of a minute, as its header tells it. */
  #take(): { readonly isOver: boolean; readonly headers: Readonly<Record<string, string>> } {
    const nowMs = this.#now().getTime();
    if (nowMs >= this.#window.endsAt) this.#window = { endsAt: nowMs + MINUTE_MS, used: 0 };
    const { exportsPerMinute, tellsLimits, account } = this.settings;
    const isOver = this.#window.used >= exportsPerMinute;
    if (!isOver) this.#window.used += 1;
    const resets = Math.ceil((this.#window.endsAt - nowMs) / 1_000);
    const told = `total=${exportsPerMinute}; remaining=${exportsPerMinute - this.#window.used}; resets=${resets}`;
    return {
      isOver,
      headers: {
        'x-zendesk-request-id': `mock-${nowMs}`,
        ...(tellsLimits ? { 'zendesk-ratelimit-incremental-exports': told } : {}),
        ...(account
          ? { 'ratelimit-remaining': `${account.left}`, 'ratelimit-reset': `${account.resets}` }
          : {}),
        ...(isOver ? { 'retry-after': `${resets}` } : {}),
      },
    };
  }

  #page(query: URLSearchParams): MockAnswer {
    const asked = z
      .strictObject({
        start_time: z.coerce.number().int().optional(),
        cursor: z.string().optional(),
        include: z.literal('metric_sets'),
        per_page: z.coerce.number().int().min(1).max(1_000),
      })
      .safeParse(Object.fromEntries(query));
    if (!asked.success) return problem(400, 'BadRequest', z.prettifyError(asked.error));
    const { start_time, cursor, per_page } = asked.data;
    if ((start_time === undefined) === (cursor === undefined))
      return problem(400, 'BadRequest', 'Either start_time or cursor');
    const nowS = this.#now().getTime() / 1_000;
    if (start_time !== undefined && start_time > nowS - 60)
      return problem(
        422,
        'StartTimeTooRecent',
        'Too recent start_time. Use a start_time older than 60 seconds',
      );
    const after = cursor === undefined ? { atS: start_time ?? 0, id: 0 } : readCursor(cursor);
    if (!after) return problem(422, 'InvalidValue', 'Invalid cursor');
    return { json: this.#listAfter(after, Math.min(per_page, this.settings.rowsMax)) };
  }

  #listAfter(after: Position, rows: number): unknown {
    const settled = this.#changes
      .filter(({ at }) => at.getTime() <= this.#now().getTime() - MINUTE_MS)
      .toSorted((a, b) => compare(positionOf(a), positionOf(b)))
      .filter((change) => compare(positionOf(change), after) > 0);
    const listed = settled.slice(0, rows);
    const last = listed.at(-1);
    const next = last ? writeCursor(positionOf(last)) : writeCursor(after);
    const { metricsPlace, nextHost } = this.settings;
    const isInside = metricsPlace === 'inside';
    const sets = listed.flatMap(({ metrics }) => (metrics ? [metrics] : []));
    return {
      tickets: listed.map(({ ticket, metrics }) => (isInside ? { ...ticket, metric_set: metrics } : ticket)),
      ...(isInside ? {} : { metric_sets: sets }),
      after_cursor: next,
      after_url: `${nextHost}/api/v2/incremental/tickets/cursor?cursor=${encodeURIComponent(next)}`,
      before_cursor: null,
      before_url: null,
      end_of_stream: listed.length === settled.length,
    };
  }
}

const codeGrant = z.strictObject({
  grant_type: z.literal('authorization_code'),
  client_id: z.literal(CLIENT.client_id),
  client_secret: z.literal(CLIENT.client_secret),
  code: z.string(),
  code_verifier: z.string(),
  redirect_uri: z.url(),
  scope: z.literal('read'),
  refresh_token_expires_in: z.int().min(604_800).max(7_776_000),
});

interface Position {
  readonly atS: number;
  readonly id: number;
}

function positionOf({ at, ticket }: Change): Position {
  return { atS: at.getTime() / 1_000, id: ticket.id };
}

function compare(a: Position, b: Position): number {
  return a.atS - b.atS || a.id - b.id;
}

/** Zendesk's own look like this: "1576613539.0||467|" in base64. */
function writeCursor({ atS, id }: Position): string {
  return Buffer.from(`${atS}||${id}|`).toString('base64');
}

function readCursor(cursor: string): Position | null {
  const match = /^([\d.]+)\|\|(\d+)\|$/.exec(Buffer.from(cursor, 'base64').toString('utf8'));
  return match ? { atS: Number(match[1]), id: Number(match[2]) } : null;
}

function problem(status: number, error: string, description: string): MockAnswer {
  return { status, json: { error, description } };
}

import { verify } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../../src/lib/clock.ts';
import { addDays, dateIn, isDate } from '../../../src/domain/period.ts';
import { Authorization } from './authorization.ts';
import { openApiContract, type Contract } from './contract.ts';
import { startMockServer, type MockAnswer, type MockRequest, type MockServer } from './mock-server.ts';

/** One session, as the property's tag sent it. */
export interface Visit {
  /** Of the property's own calendar */
  readonly date: string;
  readonly channel: string;
  readonly user: string;
  readonly pageviews: number;
  readonly isNew?: boolean;
  readonly isEngaged?: boolean;
}

export interface Property {
  readonly id: string;
  timeZone: string;
  currencyCode: string;
  readonly visits: Visit[];
  /** Put into the metadata of each report */
  flags: Readonly<Record<string, unknown>>;
  /** Rows that no honest report has, at the end of the next one that has rows at all */
  strayRows: unknown[];
}

/** What is left of it */
export interface Quota {
  tokensPerDay: number;
  tokensPerHour: number;
  tokensPerProjectPerHour: number;
}

export interface GoogleAnalyticsMock extends MockServer {
  readonly property: Property;
  readonly quota: Quota;
  /** What whoever shows a token may do */
  access: 'viewer' | 'none' | 'other scope' | 'api off';
  /** Bodies of the reports that were asked for, oldest first */
  readonly reports: readonly unknown[];
  /** Access tokens that were handed out */
  readonly tokens: readonly string[];
  /** Rows to a page, whatever is asked for */
  rowsMax: number;
  /** In the next answer to a refresh, in the place of the refresh token */
  rotatesTo: string | null;
  /** Where a person allows access */
  readonly authorization: Authorization;
  /** Once, as soon as the next report is answered */
  afterReport(change: () => void): void;
  /** All access tokens that were handed out end now. */
  expireTokens(): void;
  /** Nothing is exchanged for an access token any more. */
  revoke(): void;
}

interface Grants {
  readonly serviceAccount: { readonly email: string; readonly publicKey: string };
  readonly client: { readonly id: string; readonly secret: string; readonly refreshToken: string };
}

const SCOPE = 'https://www.googleapis.com/auth/analytics.readonly';
/** Of the reports alone: the token endpoint is another API, with no document of its own */
const CONTRACT = reportsOnly(await openApiContract('ga4/analyticsdata-v1beta.openapi.json'));
const TOKEN_SECONDS = 3_599;
const REPORT_TOKENS = 5;

const named = z.strictObject({ name: z.string() });
const reportRequest = z.strictObject({
  dateRanges: z
    .array(z.strictObject({ startDate: z.string(), endDate: z.string(), name: z.string().optional() }))
    .min(1)
    .max(4),
  dimensions: z.array(named).max(9).default([]),
  metrics: z.array(named).min(1).max(10),
  orderBys: z.array(z.strictObject({ dimension: z.strictObject({ dimensionName: z.string() }) })).default([]),
  limit: z.string().regex(/^[1-9]\d*$/),
  offset: z.string().regex(/^\d+$/),
  returnPropertyQuota: z.boolean().default(false),
});
type ReportRequest = z.infer<typeof reportRequest>;

const DIMENSIONS: Readonly<Record<string, (visit: Visit) => string>> = {
  date: ({ date }) => date.replaceAll('-', ''),
  sessionDefaultChannelGroup: ({ channel }) => channel,
};

const METRICS: Readonly<Record<string, (visits: readonly Visit[]) => number>> = {
  sessions: (visits) => visits.length,
  screenPageViews: (visits) => visits.reduce((sum, { pageviews }) => sum + pageviews, 0),
  engagedSessions: (visits) => visits.filter(({ isEngaged }) => isEngaged).length,
  activeUsers: (visits) => new Set(visits.map(({ user }) => user)).size,
  newUsers: (visits) => new Set(visits.filter(({ isNew }) => isNew).map(({ user }) => user)).size,
};

/** A property of Google Analytics 4 with its token endpoint beside it: it counts real visits, tokens and quotas. */
export async function startGoogleAnalytics(grants: Grants, clock: Clock): Promise<GoogleAnalyticsMock> {
  const tokens = new Map<string, number>();
  const reports: unknown[] = [];
  const changes: (() => void)[] = [];
  let isRevoked = false;
  const authorization = new Authorization({
    clientId: grants.client.id,
    scope: SCOPE,
    knowsPkce: true,
    sign: (query) => query.set('iss', 'https://accounts.google.com'),
  });
  const property: Property = {
    id: '123456',
    timeZone: 'America/New_York',
    currencyCode: 'USD',
    visits: [],
    flags: {},
    strayRows: [],
  };
  const server = await startMockServer({ handle, contract: CONTRACT });
  const mock: GoogleAnalyticsMock = {
    ...server,
    property,
    quota: { tokensPerDay: 200_000, tokensPerHour: 40_000, tokensPerProjectPerHour: 14_000 },
    access: 'viewer',
    reports,
    get tokens() {
      return [...tokens.keys()];
    },
    rowsMax: 250_000,
    rotatesTo: null,
    authorization,
    afterReport: (change) => void changes.push(change),
    expireTokens: () => tokens.forEach((_, token) => tokens.set(token, 0)),
    revoke: () => {
      isRevoked = true;
    },
  };
  return mock;

  function handle(request: MockRequest): MockAnswer {
    if (request.path === '/o/oauth2/v2/auth') return authorization.authorize(request);
    if (request.path === '/token') return exchange(request);
    const [, id] = /^\/v1beta\/properties\/(\d+):runReport$/.exec(request.path) ?? [];
    if (id === undefined || request.method !== 'POST')
      return refusal(404, 'NOT_FOUND', 'Requested entity was not found.');
    const answer = unauthenticated(request) ?? forbidden(id) ?? report(request);
    changes.splice(0).forEach((change) => change());
    return answer;
  }

  function exchange({ method, headers, body }: MockRequest): MockAnswer {
    const form = Object.fromEntries(new URLSearchParams(body));
    if (method !== 'POST' || headers['content-type'] !== 'application/x-www-form-urlencoded')
      return tokenRefusal('invalid_request', 'Bad Request');
    const problem = problemOfGrant(form, { grants, clock, authorization });
    if (problem) return problem;
    if (isRevoked) return tokenRefusal('invalid_grant', 'Token has been expired or revoked.');
    const token = `ya29.access-${tokens.size + 1}`;
    tokens.set(token, clock.now().getTime() + TOKEN_SECONDS * 1_000);
    const refreshToken =
      form['grant_type'] === 'authorization_code' ? grants.client.refreshToken : mock.rotatesTo;
    const rotated = refreshToken === null ? {} : { refresh_token: refreshToken };
    return {
      json: {
        access_token: token,
        expires_in: TOKEN_SECONDS,
        token_type: 'Bearer',
        scope: SCOPE,
        ...rotated,
      },
    };
  }

  function unauthenticated({ headers }: MockRequest): MockAnswer | null {
    const endsAt = tokens.get(headers.authorization?.replace(/^Bearer /, '') ?? '') ?? 0;
    if (endsAt > clock.now().getTime()) return null;
    return refusal(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
  }

  function forbidden(id: string): MockAnswer | null {
    if (mock.access === 'other scope')
      return refusal(
        403,
        'PERMISSION_DENIED',
        'Request had insufficient authentication scopes.',
        'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
      );
    if (mock.access === 'api off')
      return refusal(
        403,
        'PERMISSION_DENIED',
        'Google Analytics Data API has not been used in project 1 before.',
        'SERVICE_DISABLED',
      );
    if (mock.access === 'viewer' && id === property.id) return null;
    return refusal(403, 'PERMISSION_DENIED', 'User does not have sufficient permissions for this property.');
  }

  function report({ body }: MockRequest): MockAnswer {
    const { quota } = mock;
    const over = exhausted(quota);
    if (over) return refusal(429, 'RESOURCE_EXHAUSTED', over);
    const asked = reportRequest.safeParse(JSON.parse(body));
    if (!asked.success) return refusal(400, 'INVALID_ARGUMENT', z.prettifyError(asked.error));
    const problem = problemOf(asked.data);
    if (problem) return refusal(400, 'INVALID_ARGUMENT', problem);
    reports.push(asked.data);
    quota.tokensPerDay -= REPORT_TOKENS;
    quota.tokensPerHour -= REPORT_TOKENS;
    quota.tokensPerProjectPerHour -= REPORT_TOKENS;
    return { json: answerOf(asked.data, { property, rowsMax: mock.rowsMax, now: clock.now(), quota }) };
  }
}

const isReport = ({ path }: MockRequest): boolean => path.startsWith('/v1beta/');

function reportsOnly(contract: Contract | null): Contract | null {
  return (
    contract && {
      problemsOfRequest: (request) => (isReport(request) ? contract.problemsOfRequest(request) : []),
      problemsOfAnswer: (request, answer) =>
        isReport(request) ? contract.problemsOfAnswer(request, answer) : [],
    }
  );
}

function problemOfGrant(
  form: Readonly<Record<string, string>>,
  {
    grants,
    clock,
    authorization,
  }: { readonly grants: Grants; readonly clock: Clock; readonly authorization: Authorization },
): MockAnswer | null {
  switch (form.grant_type) {
    case 'authorization_code':
    case 'refresh_token': {
      const { client } = grants;
      if (form.client_id !== client.id)
        return tokenRefusal('invalid_client', 'The OAuth client was not found.', 401);
      if (form.client_secret !== client.secret) return tokenRefusal('invalid_client', 'Unauthorized', 401);
      if (
        form.grant_type === 'authorization_code'
          ? authorization.redeem(form)
          : form.refresh_token === client.refreshToken
      )
        return null;
      return tokenRefusal('invalid_grant', 'Bad Request');
    }
    case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
      return problemOfAssertion(form.assertion ?? '', { grants, clock });
    default:
      return tokenRefusal('unsupported_grant_type', `Invalid grant_type: ${form.grant_type ?? ''}`);
  }
}

function problemOfAssertion(
  jwt: string,
  { grants: { serviceAccount }, clock }: { readonly grants: Grants; readonly clock: Clock },
): MockAnswer | null {
  const [head = '', payload = '', signature = ''] = jwt.split('.');
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${payload}`),
    serviceAccount.publicKey,
    Buffer.from(signature, 'base64url'),
  );
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const now = Math.floor(clock.now().getTime() / 1_000);
  const expected = z.strictObject({
    iss: z.literal(serviceAccount.email),
    scope: z.literal(SCOPE),
    aud: z.literal('https://oauth2.googleapis.com/token'),
    iat: z
      .int()
      .min(now - 300)
      .max(now + 300),
    exp: z
      .int()
      .min(now)
      .max(now + 3_600),
  });
  if (!isSigned) return tokenRefusal('invalid_grant', 'Invalid JWT Signature.');
  return expected.safeParse(claims).success ? null : tokenRefusal('invalid_grant', 'Invalid JWT: claims.');
}

function problemOf({ dimensions, metrics, dateRanges, orderBys, limit }: ReportRequest): string | null {
  const unknown =
    dimensions.find(({ name }) => !(name in DIMENSIONS)) ?? metrics.find(({ name }) => !(name in METRICS));
  if (unknown) return `Field ${unknown.name} is not a valid dimension or metric.`;
  if (Number(limit) > 250_000) return 'The limit is too large.';
  if (orderBys.some(({ dimension }) => !dimensions.some(({ name }) => name === dimension.dimensionName)))
    return 'Order-bys name dimensions of the report.';
  if (dateRanges.some(({ name }) => /^(date_range_|RESERVED_)/.test(name ?? ''))) return 'A reserved name.';
  const days = dateRanges.flatMap(({ startDate, endDate }) => [startDate, endDate]);
  if (days.some((day) => day !== 'today' && !isDate(day))) return 'Invalid date.';
  return dateRanges.some(({ startDate, endDate }) => startDate > endDate)
    ? 'startDate is after endDate.'
    : null;
}

interface AnswerContext {
  readonly property: Property;
  readonly rowsMax: number;
  readonly now: Date;
  readonly quota: Quota;
}

function answerOf(asked: ReportRequest, { property, rowsMax, now, quota }: AnswerContext): unknown {
  const rows = rowsOf(asked, property, now);
  if (rows.length > 0) rows.push(...property.strayRows.splice(0));
  const offset = Number(asked.offset);
  const page = rows.slice(offset, offset + Math.min(rowsMax, Number(asked.limit)));
  const range = asked.dateRanges.length > 1 ? [{ name: 'dateRange' }] : [];
  const dimensions = [...asked.dimensions, ...range];
  return {
    ...(dimensions.length > 0 && { dimensionHeaders: dimensions }),
    metricHeaders: asked.metrics.map(({ name }) => ({ name, type: 'TYPE_INTEGER' })),
    // proto3 leaves out what is empty or zero.
    ...(page.length > 0 && { rows: page }),
    ...(rows.length > 0 && { rowCount: rows.length }),
    metadata: { currencyCode: property.currencyCode, timeZone: property.timeZone, ...property.flags },
    ...(asked.returnPropertyQuota && { propertyQuota: quotaAnswer(quota) }),
    kind: 'analyticsData#runReport',
  };
}

function quotaAnswer(quota: Quota): unknown {
  const states = Object.entries(quota).map(([name, left]) => [
    name,
    { consumed: REPORT_TOKENS, ...(left > 0 && { remaining: left }) },
  ]);
  return { ...Object.fromEntries(states), concurrentRequests: { remaining: 10 } };
}

/** Groups that hold no visit have no row. */
function rowsOf(asked: ReportRequest, { visits, timeZone }: Property, now: Date): unknown[] {
  const today = dateIn(timeZone, now);
  const rows = asked.dateRanges.flatMap(({ startDate, endDate, name }, index) => {
    const [from, to] = [startDate, endDate].map((day) => (day === 'today' ? today : day));
    const within = visits.filter(({ date }) => date >= (from ?? '') && date <= (to ?? ''));
    const range = asked.dateRanges.length > 1 ? [name ?? `date_range_${index}`] : [];
    const groups = new Map<string, Visit[]>();
    for (const visit of within) {
      const values = [
        ...asked.dimensions.map((dimension) => DIMENSIONS[dimension.name]?.(visit) ?? ''),
        ...range,
      ];
      const key = JSON.stringify(values);
      groups.set(key, [...(groups.get(key) ?? []), visit]);
    }
    return [...groups].map(([key, group]) => ({ key, group }));
  });
  if (asked.orderBys.length > 0) rows.sort((one, other) => (one.key < other.key ? -1 : 1));
  return rows.map(({ key, group }) => {
    const values = z.array(z.string()).parse(JSON.parse(key));
    return {
      ...(values.length > 0 && { dimensionValues: values.map((value) => ({ value })) }),
      metricValues: asked.metrics.map(({ name }) => ({ value: String(METRICS[name]?.(group) ?? 0) })),
    };
  });
}

function exhausted({ tokensPerDay, tokensPerHour, tokensPerProjectPerHour }: Quota): string | null {
  const learn =
    'To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas';
  if (tokensPerDay <= 0)
    return `Exhausted property tokens per day. These quota tokens will return in under 24 hours. ${learn}`;
  if (tokensPerHour <= 0)
    return `Exhausted property tokens per hour. These quota tokens will return in under an hour. ${learn}`;
  if (tokensPerProjectPerHour > 0) return null;
  return `Exhausted property tokens for a project per hour. These quota tokens will return in under an hour. ${learn}`;
}

/** As the Data API refuses. */
export function refusal(code: number, status: string, message: string, reason?: string): MockAnswer {
  const details = reason && [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' },
  ];
  return { status: code, json: { error: { code, message, status, ...(details && { details }) } } };
}

/** As the token endpoint refuses. */
export function tokenRefusal(error: string, description: string, status = 400): MockAnswer {
  return { status, json: { error, error_description: description } };
}

/** `count` days of one visit each, the last of them on `last`, oldest first. */
export function dailyVisits(last: string, count: number): Visit[] {
  return Array.from({ length: count }, (_, index) => ({
    date: addDays(last, index + 1 - count),
    channel: 'Direct',
    user: `user ${index}`,
    pageviews: 1,
  }));
}

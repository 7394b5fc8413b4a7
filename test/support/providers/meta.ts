import { createHmac } from 'node:crypto';
import { addDays, countDays, isDate } from '../../../src/domain/period.ts';
import { Authorization } from './authorization.ts';
import { metaContract } from './meta-contract.ts';
import { startMockServer, type MockAnswer, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the provider has; tests change it while it runs. */
export interface MetaState {
  adAccount: { id: string; name: string; currency: string; timezone_name: string };
  page: { id: string; name: string };
  instagram: { id: string; username: string; followers_count: number };
  /** Token → what it may; null: it has expired */
  tokens: Map<string, readonly string[] | null>;
  pageToken: string;
  /** Null: it asks for no proof */
  appSecret: string | null;
  /** Rows of campaigns and days, figures as numbers or as they are sent */
  adDays: Json[];
  /** Metric → day → figure */
  pageFigures: Record<string, Readonly<Record<string, unknown>>>;
  /** Day → metric → figure */
  instagramFigures: Record<string, Readonly<Record<string, unknown>>>;
  /** What it tells of Instagram accounts */
  instagramMetrics: readonly string[];
  /** Rows of one page, whatever limit is asked for */
  rowsMax: number;
  /** Queries of more days are too much for it */
  daysMax: number;
  /** In addresses of next pages, in the place of its own */
  nextOrigin: string | null;
  /** Headers of the next answers, the first first */
  usage: Readonly<Record<string, string>>[];
}

/** Closing it fails a test in which something did not fit the specification. */
export interface MetaMock extends AsyncDisposable {
  readonly server: MockServer;
  readonly state: MetaState;
  /** Where a person allows access */
  readonly authorization: Authorization;
}

/** As long as Meta's own, so that whatever hides those has to hide these. */
export const TOKEN = 'EAABsystemUserToken0123456789abcdefghijklmnop';
export const PAGE_TOKEN = 'EAABpageToken9876543210zyxwvutsrqponmlkjihgfe';
export const APP_SECRET = '0123456789abcdef0123456789abcdef';

/** Its app, as it is registered */
export const META_APP = { clientId: '1234567890123456', clientSecret: APP_SECRET };
const SHORT_TOKEN = 'EAABshortLived0123456789abcdefghijklmnopqrstuv';

const ALL_SCOPES = [
  'ads_read',
  'read_insights',
  'pages_read_engagement',
  'pages_show_list',
  'instagram_basic',
  'instagram_manage_insights',
];

function newState(): MetaState {
  return {
    adAccount: { id: '1001', name: 'Acme Ads', currency: 'EUR', timezone_name: 'Europe/Berlin' },
    page: { id: '2002', name: 'Acme Shop' },
    instagram: { id: '3003', username: 'acme.shop', followers_count: 1_500 },
    tokens: new Map([[TOKEN, ALL_SCOPES]]),
    pageToken: PAGE_TOKEN,
    appSecret: APP_SECRET,
    adDays: [],
    pageFigures: {
      page_media_view: {},
      page_total_media_view_unique: {},
      page_post_engagements: {},
      page_follows: {},
    },
    instagramFigures: {},
    instagramMetrics: ['views', 'reach', 'total_interactions', 'accounts_engaged'],
    rowsMax: 2,
    daysMax: 90,
    nextOrigin: null,
    usage: [],
  };
}

export async function startMeta(change: Partial<MetaState> = {}): Promise<MetaMock> {
  const state = { ...newState(), ...change };
  const nodeOf = (id: string): string | null => {
    if (id === `act_${state.adAccount.id}`) return 'AdAccount';
    if (id === state.page.id) return 'Page';
    return id === state.instagram.id ? 'IGUser' : null;
  };
  const authorization = new Authorization({
    clientId: META_APP.clientId,
    scope: ALL_SCOPES.join(','),
    knowsPkce: false,
  });
  const server = await startMockServer({
    contract: await metaContract(nodeOf),
    handle: (request, mock) => {
      const answer =
        logIn(authorization, request) ?? problemOf(request, state) ?? route(request, state, mock.url);
      return { ...answer, headers: { ...answer.headers, ...state.usage.shift() } };
    },
  });
  return {
    server,
    state,
    authorization,
    async [Symbol.asyncDispose]() {
      await server.close();
      if (server.problems.length > 0) throw new Error(server.problems.join('\n'));
    },
  };
}

/** A code gives a token of an hour or two, and that one of some 60 days. Null: the request is for something else. */
function logIn(authorization: Authorization, request: MockRequest): MockAnswer | null {
  if (request.path === '/v26.0/dialog/oauth') return authorization.authorize(request);
  if (request.path !== '/v26.0/oauth/access_token') return null;
  const asked = Object.fromEntries(request.query);
  if (asked['client_id'] !== META_APP.clientId || asked['client_secret'] !== META_APP.clientSecret)
    return metaError(1, `Error validating client secret ${request.query}.`);
  if (asked['grant_type'] === 'fb_exchange_token' && asked['fb_exchange_token'] === SHORT_TOKEN)
    return { json: { access_token: TOKEN, token_type: 'bearer', expires_in: 5_183_944 } };
  if (asked['grant_type'] !== undefined || !authorization.redeem(asked))
    return metaError(100, `This authorization code has been used: ${request.query}`);
  return { json: { access_token: SHORT_TOKEN, token_type: 'bearer', expires_in: 5_000 } };
}

export function metaError(code: number, message: string, more: Json = {}, status = 400): MockAnswer {
  const error = { message, type: 'OAuthException', code, fbtrace_id: `trace-${code}`, ...more };
  return { status, json: { error } };
}

function tokenOf({ headers }: MockRequest): string {
  return /^Bearer (.+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '';
}

/** Whatever is wrong with a request before it is known what it asks for. */
function problemOf(request: MockRequest, state: MetaState): MockAnswer | null {
  const token = tokenOf(request);
  if (request.method !== 'GET' || !request.path.startsWith('/v26.0/'))
    return metaError(2635, 'You are calling a version that is none of ours');
  // A real Graph API takes it, and so does every log on the way.
  if (request.query.has('access_token')) return metaError(100, 'The mock wants no token in an address');
  if (token === state.pageToken || state.tokens.get(token)) {
    const proof = state.appSecret && createHmac('sha256', state.appSecret).update(token).digest('hex');
    if (proof === null || request.query.get('appsecret_proof') === proof) return null;
    return metaError(100, 'Invalid appsecret_proof provided in the API argument');
  }
  if (state.tokens.has(token))
    return metaError(190, 'Error validating access token: Session has expired', { error_subcode: 463 }, 401);
  return metaError(190, `Malformed access token ${token}`, {}, 401);
}

function route(request: MockRequest, state: MetaState, url: string): MockAnswer {
  const { adAccount, page, instagram, tokens } = state;
  const scopes = tokens.get(tokenOf(request)) ?? [];
  const lacks = (scope: string): MockAnswer | null =>
    scopes.includes(scope)
      ? null
      : metaError(200, `(#200) Requires ${scope} permission to manage the object`, {}, 403);
  switch (request.path.replace('/v26.0', '')) {
    case '/me/permissions':
      return {
        json: { data: ALL_SCOPES.map((permission) => ({ permission, status: statusOf(permission) })) },
      };
    case `/act_${adAccount.id}`:
      return lacks('ads_read') ?? pick(request, { ...adAccount, id: `act_${adAccount.id}` });
    case `/act_${adAccount.id}/insights`:
      return lacks('ads_read') ?? adInsights(request, state, url);
    case `/${page.id}`:
      return pick(request, {
        ...page,
        ...(lacks('pages_show_list') ? {} : { access_token: state.pageToken }),
      });
    case `/${page.id}/insights`:
      if (tokenOf(request) !== state.pageToken)
        return metaError(190, 'This method must be called with a Page Access Token');
      return pageInsights(request, state, url);
    case `/${instagram.id}`:
      return lacks('instagram_basic') ?? pick(request, instagram);
    case `/${instagram.id}/insights`:
      return lacks('instagram_manage_insights') ?? instagramInsights(request, state);
    default:
      return metaError(100, 'Unsupported get request. Object does not exist', { error_subcode: 33 });
  }

  function statusOf(permission: string): string {
    return scopes.includes(permission) ? 'granted' : 'declined';
  }
}

function pick({ query }: MockRequest, node: Json): MockAnswer {
  const names = query.get('fields')?.split(',') ?? ['id'];
  return { json: Object.fromEntries(Object.entries(node).filter(([name]) => names.includes(name))) };
}

/** Figures go out as texts, and those that are 0 not at all. */
function toWire(row: Json, names: readonly string[]): Json {
  const told = Object.entries(row).filter(
    ([name, value]) => names.includes(name) && value !== 0 && value !== undefined,
  );
  return Object.fromEntries(
    told.map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  );
}

function adInsights({ query, path }: MockRequest, state: MetaState, url: string): MockAnswer {
  const range = JSON.parse(query.get('time_range') ?? '{}') as { since?: string; until?: string };
  const { since = '', until = '' } = range;
  if (!isDate(since) || !isDate(until) || since > until) return metaError(100, '(#100) Bad time_range');
  if (query.get('time_increment') !== '1' || query.get('level') !== 'campaign')
    return metaError(100, '(#100) The mock knows campaigns by day alone');
  if (countDays({ from: since, to: until }) > state.daysMax)
    return metaError(2, 'Please ask for less', { error_subcode: 1504038 }, 500);
  const names = query.get('fields')?.split(',') ?? [];
  const rows = state.adDays.filter(({ date_start: day }) => String(day) >= since && String(day) <= until);
  const start = Number(query.get('after') ?? '0');
  const end = start + Math.min(state.rowsMax, Number(query.get('limit') ?? '25'));
  const data = rows.slice(start, end).map((row) => toWire(row, names));
  const next = new URL(path, state.nextOrigin ?? url);
  next.search = query.toString();
  next.searchParams.set('access_token', 'EAABtokenInTheAddressOfTheNextPage0123456789');
  next.searchParams.set('after', String(end));
  const paging = { cursors: { after: String(end) }, ...(end < rows.length ? { next: next.href } : {}) };
  return { json: data.length === 0 ? { data } : { data, paging } };
}

/** Midnight in California after a day, in UTC; the mock's summer lasts from April to October. */
function endOf(day: string): string {
  const month = Number(day.slice(5, 7));
  return `${addDays(day, 1)}T0${month >= 4 && month <= 10 ? 7 : 8}:00:00+0000`;
}

function pageInsights({ query, path }: MockRequest, state: MetaState, url: string): MockAnswer {
  const since = query.get('since') ?? '';
  const until = query.get('until') ?? '';
  if (!isDate(since) || !isDate(until) || since >= until) return metaError(100, '(#100) Bad range of days');
  const days = countDays({ from: since, to: until }) - 1;
  if (days > 90) return metaError(100, '(#100) There cannot be more than 90 days between since and until');
  const metrics = query.get('metric')?.split(',') ?? [];
  if (metrics.some((name) => !state.pageFigures[name]))
    return metaError(100, '(#100) The value must be a valid insights metric');
  const data = metrics.map((name) => ({
    name,
    period: 'day',
    values: Object.entries(state.pageFigures[name] ?? {})
      .filter(([day]) => day >= since && day < until)
      .map(([day, value]) => ({ ...(value === 0 ? {} : { value }), end_time: endOf(day) })),
    title: name,
    id: `${state.page.id}/insights/${name}/day`,
  }));
  // Meta's way to the days before and after: it never ends.
  return { json: { data, paging: { previous: `${url}${path}?past`, next: `${url}${path}?future` } } };
}

function instagramInsights({ query }: MockRequest, state: MetaState): MockAnswer {
  const [since, until] = [Number(query.get('since')), Number(query.get('until'))];
  if (!(since > 0 && until > since && until - since <= 25 * 3_600)) return metaError(100, '(#100) Bad range');
  if (query.get('metric_type') !== 'total_value' || query.get('period') !== 'day')
    return metaError(100, '(#100) The mock knows totals of a day alone');
  const metrics = query.get('metric')?.split(',') ?? [];
  const wrong = metrics.findIndex((name) => !state.instagramMetrics.includes(name));
  if (wrong >= 0) return metaError(100, `(#100) metric[${wrong}] must be one of the following values: …`);
  const start = new Date(since * 1_000).toISOString();
  const day = start.slice(0, 10);
  if (start !== endOf(addDays(day, -1)).replace('+0000', '.000Z'))
    return metaError(100, `(#100) The mock’s days do not begin at ${start}`);
  const figures = state.instagramFigures[day] ?? {};
  const data = metrics.flatMap((name) =>
    figures[name] === undefined
      ? []
      : [{ name, period: 'day', title: name, total_value: { value: figures[name] }, id: `${name}/day` }],
  );
  return { json: { data } };
}

import { Authorization } from './authorization.ts';
import { openApiContract, type Contract } from './contract.ts';
import { startMockServer, type MockAnswer, type MockRequest, type MockServer } from './mock-server.ts';

/** A record of Mailchimp's, or a broken one. */
export type MailchimpRecord = Readonly<Record<string, unknown>>;

/** One account, to be changed while it is read. */
export interface MailchimpState {
  /** Keys and OAuth tokens that open it */
  readonly keys: Set<string>;
  /** Whether whoever owns the key may see the reports */
  mayReadReports: boolean;
  account: MailchimpRecord;
  /** In any order */
  reports: MailchimpRecord[];
  /** Oldest first */
  lists: MailchimpRecord[];
  /** No page is longer, whatever is asked for */
  pageMax: number;
}

export interface MailchimpMock extends MockServer {
  readonly state: MailchimpState;
  /** Where a person allows access */
  readonly authorization: Authorization;
}

export const MAILCHIMP_KEY = '0123456789abcdef0123456789abcdef-us6';
export const MAILCHIMP_TOKEN = 'fedcba9876543210fedcba9876543210';

/** It takes a third of a second to read. */
let contract: ReturnType<typeof openApiContract> | undefined;

/** Mailchimp as far as we ask it: `/`, `/reports` and `/lists`, with their filters, fields and pages. */
export async function startMailchimp(): Promise<MailchimpMock> {
  const state: MailchimpState = {
    keys: new Set([MAILCHIMP_KEY, MAILCHIMP_TOKEN]),
    mayReadReports: true,
    account: {
      account_id: '8d3a3db4d97663a9074efcc16',
      account_name: 'Freddie’s Jokes',
      account_timezone: 'America/New_York',
      login_id: '8d3a3db4d97663a9074efcc17',
      role: 'owner',
      email: 'freddie@example.com',
    },
    reports: [],
    lists: [],
    pageMax: 1_000,
  };
  contract ??= openApiContract('mailchimp/mailchimp-marketing-3.0.85.trimmed.json');
  const { clientId } = MAILCHIMP_APP;
  const authorization = new Authorization({ clientId, scope: null, knowsPkce: false });
  const mock = await startMockServer({
    handle: (request) => logIn(authorization, request) ?? answer(state, request),
    contract: apiOnly(await contract),
  });
  return Object.assign(mock, { state, authorization });
}

/** Its app, as it is registered */
export const MAILCHIMP_APP = { clientId: '635959587059', clientSecret: '0da3e7744949e1406b7b250051ee1a95' };

/** Its other host, which is in no specification; null: the request is for the API. */
function logIn(authorization: Authorization, request: MockRequest): MockAnswer | null {
  const refused = (error: string): MockAnswer => ({
    status: 400,
    json: { error, error_description: request.body },
  });
  switch (request.path) {
    case '/oauth2/authorize':
      return authorization.authorize(request);
    case '/oauth2/token': {
      const form = Object.fromEntries(new URLSearchParams(request.body));
      const { clientId, clientSecret } = MAILCHIMP_APP;
      if (form['client_id'] !== clientId || form['client_secret'] !== clientSecret)
        return refused('invalid_client');
      if (form['grant_type'] !== 'authorization_code' || !authorization.redeem(form))
        return refused('invalid_grant');
      return { json: { access_token: MAILCHIMP_TOKEN, expires_in: 0, scope: null } };
    }
    case '/oauth2/metadata':
      return request.headers['authorization'] === `OAuth ${MAILCHIMP_TOKEN}`
        ? {
            json: {
              dc: 'us6',
              accountname: 'Freddie’s Jokes',
              api_endpoint: 'https://us6.api.mailchimp.com',
            },
          }
        : refused('invalid_token');
    default:
      return null;
  }
}

function apiOnly(api: Contract | null): Contract | null {
  const isLogIn = ({ path }: MockRequest): boolean => path.startsWith('/oauth2/');
  return (
    api && {
      problemsOfRequest: (request) => (isLogIn(request) ? [] : api.problemsOfRequest(request)),
      problemsOfAnswer: (request, given) => (isLogIn(request) ? [] : api.problemsOfAnswer(request, given)),
    }
  );
}

/** A report of a campaign to 100 people, one of whom is out of reach. */
export function mailchimpReport(id: string, sendTime: string, other: MailchimpRecord = {}): MailchimpRecord {
  return {
    id,
    campaign_title: `Campaign ${id}`,
    subject_line: `Subject ${id}`,
    preview_text: 'Never asked for',
    type: 'regular',
    list_id: 'b1234346',
    list_name: 'Newsletter',
    list_is_active: true,
    send_time: sendTime,
    emails_sent: 100,
    abuse_reports: 0,
    unsubscribed: 2,
    opens: {
      opens_total: 90,
      unique_opens: 60,
      proxy_excluded_opens: 50,
      proxy_excluded_unique_opens: 40,
      open_rate: 0.6,
    },
    clicks: { clicks_total: 12, unique_clicks: 9, unique_subscriber_clicks: 8, click_rate: 0.08 },
    bounces: { hard_bounces: 1, soft_bounces: 0, syntax_errors: 0 },
    ecommerce: { total_orders: 0, total_spent: 0, total_revenue: 0, currency_code: 'USD' },
    _links: [{ rel: 'next', href: 'http://127.0.0.1:1/3.0/reports', method: 'GET' }],
    ...other,
  };
}

export function mailchimpList(id: string, created: string, other: MailchimpRecord = {}): MailchimpRecord {
  return {
    id,
    web_id: 5,
    name: `List ${id}`,
    date_created: created,
    list_rating: 3,
    stats: {
      member_count: 120,
      unsubscribe_count: 7,
      cleaned_count: 2,
      campaign_count: 4,
      campaign_last_sent: '2026-11-20T10:00:00+00:00',
      merge_field_count: 2,
      open_rate: 41.5,
    },
    ...other,
  };
}

/** As Mailchimp says what is wrong. */
export function mailchimpProblem(status: number, title: string, detail = ''): MockAnswer {
  const instance = 'c116af38-54cd-7c91-efff-548d25d48699';
  return {
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', 'x-request-id': instance },
    json: { type: 'https://mailchimp.com/developer/marketing/docs/errors/', title, status, detail, instance },
  };
}

const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  '/': ['fields'],
  '/reports': ['fields', 'count', 'offset', 'since_send_time', 'before_send_time'],
  '/lists': ['fields', 'count', 'offset', 'sort_field', 'sort_dir'],
};

const FIELDS: ReadonlySet<string> = new Set([
  'account_id',
  'account_name',
  'account_timezone',
  'total_items',
  ...Object.keys(mailchimpReport('', '')).map((name) => `reports.${name}`),
  ...Object.keys(mailchimpList('', '')).map((name) => `lists.${name}`),
]);

function answer(state: MailchimpState, request: MockRequest): MockAnswer {
  if (!state.keys.has(keyOf(request.headers['authorization'] ?? '')))
    return mailchimpProblem(
      401,
      'API Key Invalid',
      "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
    );
  const known = PARAMETERS[request.path];
  if (!known || request.method !== 'GET')
    return mailchimpProblem(404, 'Resource Not Found', 'The requested resource could not be found.');
  const unknown = [...request.query.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) return refusal(`unknown parameter ${unknown.join(', ')}`);
  const fields = (request.query.get('fields') ?? '').split(',');
  const strange = fields.filter((field) => !FIELDS.has(field));
  if (strange.length > 0) return refusal(`unknown field ${strange.join(', ')}`);
  if (request.path === '/') return projected(state.account, request.query);
  if (request.path === '/lists') return page(state, 'lists', state.lists, request.query);
  if (!state.mayReadReports)
    return mailchimpProblem(403, 'Forbidden', 'You are not permitted to access this resource.');
  return reports(state, request.query);
}

function keyOf(authorization: string): string {
  const [scheme, value = ''] = authorization.split(' ');
  if (scheme === 'Bearer') return value;
  return Buffer.from(value, 'base64').toString().split(':')[1] ?? '';
}

/** Newest first, of those that were sent within the span. */
function reports(state: MailchimpState, query: URLSearchParams): MockAnswer {
  const moments = ['since_send_time', 'before_send_time'].map((name) => query.get(name) ?? '');
  if (!moments.every((text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/.test(text)))
    return refusal('expected a moment in ISO 8601');
  const [since = 0, before = 0] = moments.map((text) => Date.parse(text));
  const sent = state.reports
    .map((report) => ({ report, at: Date.parse(String(report['send_time'])) }))
    // One whose moment cannot be read is in each span.
    .filter(({ at }) => Number.isNaN(at) || (at >= since && at < before))
    .sort((one, other) => (other.at || 0) - (one.at || 0));
  return page(
    state,
    'reports',
    sent.map(({ report }) => report),
    query,
  );
}

function page(
  state: MailchimpState,
  field: string,
  records: readonly MailchimpRecord[],
  query: URLSearchParams,
): MockAnswer {
  const [count = 0, offset = 0] = ['count', 'offset'].map((name) => Number(query.get(name)));
  if (!(count >= 1 && count <= 1_000 && offset >= 0)) return refusal('expected a count of 1 to 1000');
  const shown = records.slice(offset, offset + Math.min(count, state.pageMax));
  return projected({ [field]: shown, total_items: records.length }, query);
}

/** Only the fields that were asked for, as "reports.opens" or "total_items". */
function projected(whole: MailchimpRecord, query: URLSearchParams): MockAnswer {
  const paths = (query.get('fields') ?? '').split(',').map((path) => path.split('.'));
  const cut = (value: unknown, wanted: readonly (readonly string[])[]): unknown => {
    if (wanted.some((path) => path.length === 0)) return value;
    if (Array.isArray(value)) return value.map((item: unknown) => cut(item, wanted));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, inner]) => [name, inner, wanted.filter(([first]) => first === name)] as const)
        .filter(([, , below]) => below.length > 0)
        .map(([name, inner, below]) => [
          name,
          cut(
            inner,
            below.map((path) => path.slice(1)),
          ),
        ]),
    );
  };
  return { json: cut(whole, paths) };
}

function refusal(detail: string): MockAnswer {
  return mailchimpProblem(400, 'Bad Request', detail);
}

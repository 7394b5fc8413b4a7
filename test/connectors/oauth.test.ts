import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connector } from '../../src/connectors/connector.ts';
import { connectors } from '../../src/connectors/index.ts';
import type { CodeExchange } from '../../src/connectors/oauth.ts';
import { ProviderError } from '../../src/connectors/provider-error.ts';
import type { OAuthApp } from '../../src/domain/oauth-app.ts';
import { challengeOf, visit, type Authorization } from '../support/providers/authorization.ts';
import { CONSENT, SERVICE_ACCOUNT } from '../support/providers/google-analytics-connection.ts';
import { startGoogleAnalytics } from '../support/providers/google-analytics.ts';
import { MAILCHIMP_APP, startMailchimp } from '../support/providers/mailchimp.ts';
import { META_APP, startMeta } from '../support/providers/meta.ts';
import type { MockAnswer, MockServer } from '../support/providers/mock-server.ts';
import { startShopify } from '../support/providers/shopify.ts';
import { startZendesk } from '../support/providers/zendesk.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const clock = { now: () => NOW };
const REDIRECT = 'https://millrace.example/oauth/callback';
const VERIFIER = 'a-verifier-of-43-signs-or-more-as-RFC-7636-asks';
const STATE = 'a-state-that-nobody-guesses-0123456789';

interface Stage {
  readonly mock: MockServer;
  readonly authorization: Authorization;
}

interface Subject {
  readonly app: OAuthApp;
  readonly config: unknown;
  start(): Promise<Stage>;
  /** Of the account that the credentials open */
  readonly accountId: string;
  readonly knowsPkce: boolean;
  /** Whether a code is exchanged only with the address that it was sent to */
  readonly repeatsRedirect: boolean;
}

const { clientId, clientSecret, refreshToken } = CONSENT;

const SUBJECTS: Readonly<Record<string, Subject>> = {
  google_analytics: {
    app: { clientId, clientSecret },
    config: { propertyId: '123456' },
    async start() {
      const serviceAccount = { email: SERVICE_ACCOUNT.clientEmail, publicKey: '' };
      const client = { id: clientId, secret: clientSecret, refreshToken };
      const mock = await startGoogleAnalytics({ serviceAccount, client }, clock);
      return { mock, authorization: mock.authorization };
    },
    accountId: '123456',
    knowsPkce: true,
    repeatsRedirect: true,
  },
  zendesk: {
    get app() {
      return zendeskApp;
    },
    config: { subdomain: 'acme' },
    async start() {
      const mock = await startZendesk(clock);
      const { clientId = '', clientSecret = '' } = mock.credentials;
      zendeskApp = { clientId, clientSecret };
      return { mock, authorization: mock.authorization };
    },
    accountId: 'acme',
    knowsPkce: true,
    repeatsRedirect: true,
  },
  shopify: {
    app: { clientId: 'client-id', clientSecret: 'shpss_client_secret' },
    config: { shop: 'tide-and-tar' },
    async start() {
      const mock = await startShopify();
      return { mock, authorization: mock.authorization };
    },
    accountId: 'gid://shopify/Shop/7',
    knowsPkce: false,
    repeatsRedirect: false,
  },
  mailchimp: {
    app: MAILCHIMP_APP,
    config: {},
    async start() {
      const mock = await startMailchimp();
      return { mock, authorization: mock.authorization };
    },
    accountId: '8d3a3db4d97663a9074efcc16',
    knowsPkce: false,
    repeatsRedirect: true,
  },
  meta: {
    app: META_APP,
    config: { adAccountId: '1001' },
    async start() {
      const { server, authorization } = await startMeta();
      return { mock: server, authorization };
    },
    accountId: 'act_1001',
    knowsPkce: false,
    repeatsRedirect: true,
  },
};
let zendeskApp: OAuthApp = { clientId: '', clientSecret: '' };

const open: MockServer[] = [];
afterEach(async () => {
  const problems = open.flatMap((mock) => mock.problems);
  await Promise.all(open.splice(0).map((mock) => mock.close()));
  expect(problems).toEqual([]);
});

function connectorOf(name: string): Connector {
  const connector = connectors[name];
  if (!connector) throw new Error(`there is no ${name}`);
  return connector;
}

/** A person who was sent to a provider, and is back. */
async function begin(name: string) {
  const subject = SUBJECTS[name];
  const connector = connectorOf(name);
  const flow = connector.oauth;
  if (!subject || !flow) throw new Error(`${name} has no OAuth`);
  const { mock, authorization } = await subject.start();
  open.push(mock);
  const { app, config, accountId } = subject;
  const common = { app, config, baseUrl: mock.url };
  const url = flow.authorizeUrl({
    ...common,
    redirectUri: REDIRECT,
    state: STATE,
    codeChallenge: challengeOf(VERIFIER),
  });
  const back = await visit(url);
  const exchange = (changes: Partial<CodeExchange<unknown>> = {}): Promise<unknown> =>
    flow.exchange({
      ...common,
      code: back.searchParams.get('code') ?? '',
      codeVerifier: VERIFIER,
      redirectUri: REDIRECT,
      clock,
      signal: new AbortController().signal,
      ...changes,
    });
  const isGenuine = (query: URLSearchParams): boolean => flow.isGenuine({ app, config, query });
  return { connector, mock, authorization, app, config, accountId, back, exchange, isGenuine };
}

/** How it failed; whatever it was, it shows no secret of ours. */
async function failureOf(work: Promise<unknown>, secrets: readonly string[]): Promise<ProviderError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const shown = inspect(error, { depth: 10, showHidden: true });
  for (const secret of secrets) expect(shown).not.toContain(secret);
  if (error instanceof ProviderError) return error;
  throw new Error(`expected a ProviderError, got ${shown}`);
}

it('every provider that has a code flow is tried here, and Stripe has none: it is connected by keys', () => {
  const withFlow = Object.values(connectors).filter(({ oauth }) => oauth !== null);
  expect(withFlow.map(({ provider }) => provider).toSorted()).toEqual(Object.keys(SUBJECTS).toSorted());
});

describe.each(Object.keys(SUBJECTS))('the code flow of %s', (name) => {
  it('sends a person back with the state, and their code gives credentials that open the account', async () => {
    const { connector, mock, config, accountId, back, exchange, isGenuine } = await begin(name);
    expect(back.origin + back.pathname).toBe(REDIRECT);
    expect(back.searchParams.get('state')).toBe(STATE);
    expect(isGenuine(back.searchParams)).toBe(true);
    const credentials = connector.credentials.parse(await exchange());
    const connection = connector.open({
      config,
      credentials: { read: async () => credentials, replace: async () => true },
      clock,
      baseUrl: mock.url,
    });
    expect(await connection.check(new AbortController().signal)).toMatchObject({
      id: accountId,
      missingScopes: [],
    });
  });

  it('gives a code that is good once', async () => {
    const { app, back, exchange } = await begin(name);
    await exchange();
    const secrets = [app.clientSecret, back.searchParams.get('code') ?? '', VERIFIER];
    expect(await failureOf(exchange(), secrets)).toMatchObject({ kind: 'auth_expired' });
  });

  it('gives nothing for a code that nobody was given, or by another secret of the app', async () => {
    const { app, exchange } = await begin(name);
    const secrets = [app.clientSecret, 'a-code-of-nobody', 'another-secret', VERIFIER];
    expect(await failureOf(exchange({ code: 'a-code-of-nobody' }), secrets)).toMatchObject({
      kind: 'auth_expired',
    });
    const wrong = { ...app, clientSecret: 'another-secret' };
    expect(await failureOf(exchange({ app: wrong }), secrets)).toMatchObject({ kind: 'auth_expired' });
  });

  it.each<[string, MockAnswer, string]>([
    ['is broken', { status: 503, text: 'Unavailable' }, 'transient'],
    ['answers what is no token', { json: { token: 'none', access_tokens: [] } }, 'transient'],
    ['leads elsewhere', { status: 302, headers: { location: 'https://elsewhere.example/' } }, 'bad_request'],
  ])('shows a code once, even when the provider %s', async (_how, answer, kind) => {
    const { mock, exchange, back } = await begin(name);
    const asked = mock.requests.length;
    mock.next(answer);
    const secrets = [back.searchParams.get('code') ?? ''];
    expect(await failureOf(exchange(), secrets)).toMatchObject({ kind });
    expect(mock.requests).toHaveLength(asked + 1);
  });

  it('goes to the provider’s own address, with the app’s id and never its secret', () => {
    const subject = SUBJECTS[name];
    const url = connectorOf(name).oauth?.authorizeUrl({
      app: { clientId: 'the-id', clientSecret: 'the-secret' },
      config: subject?.config,
      redirectUri: REDIRECT,
      state: STATE,
      codeChallenge: challengeOf(VERIFIER),
    });
    const own: Readonly<Record<string, string>> = {
      google_analytics: 'https://accounts.google.com/o/oauth2/v2/auth',
      zendesk: 'https://acme.zendesk.com/oauth/authorizations/new',
      shopify: 'https://tide-and-tar.myshopify.com/admin/oauth/authorize',
      mailchimp: 'https://login.mailchimp.com/oauth2/authorize',
      meta: 'https://www.facebook.com/v26.0/dialog/oauth',
    };
    expect(url && url.origin + url.pathname).toBe(own[name]);
    expect(url?.searchParams.get('client_id')).toBe('the-id');
    expect(url?.href).not.toContain('the-secret');
    expect(url?.href).not.toContain(VERIFIER);
  });
});

const namesOf = (has: 'knowsPkce' | 'repeatsRedirect'): string[] =>
  Object.keys(SUBJECTS).filter((name) => SUBJECTS[name]?.[has]);

describe('a code that was stolen', () => {
  it.each(namesOf('knowsPkce'))('is nothing at %s without the verifier', async (name) => {
    const { exchange } = await begin(name);
    const stolen = exchange({ codeVerifier: 'another-verifier-of-43-signs-or-more-as-RFC-asks' });
    expect(await failureOf(stolen, [])).toMatchObject({ kind: 'auth_expired' });
  });

  it.each(namesOf('repeatsRedirect'))('is nothing at %s for another address', async (name) => {
    const { exchange } = await begin(name);
    const elsewhere = exchange({ redirectUri: 'https://elsewhere.example/oauth/callback' });
    expect(await failureOf(elsewhere, [])).toMatchObject({ kind: 'auth_expired' });
  });
});

describe('what only one provider does', () => {
  it('Google gives no access that lasts: nothing is connected', async () => {
    const { mock, exchange } = await begin('google_analytics');
    mock.next({ json: { access_token: 'ya29.x', expires_in: 3_599 } });
    expect(await failureOf(exchange(), ['ya29'])).toMatchObject({
      kind: 'auth_expired',
      message: 'Google gave no access that lasts. Try again.',
    });
  });

  it('Google lets a person untick what was asked for: that is named', async () => {
    const { mock, exchange } = await begin('google_analytics');
    mock.next({ json: { access_token: 'ya29.x', refresh_token: '1//x', scope: 'openid' } });
    expect(await failureOf(exchange(), ['ya29', '1//x'])).toMatchObject({
      kind: 'forbidden_scope',
      scope: 'https://www.googleapis.com/auth/analytics.readonly',
    });
  });

  it('Google names itself: what another issuer sent is not taken', async () => {
    const { back, isGenuine } = await begin('google_analytics');
    back.searchParams.set('iss', 'https://accounts.elsewhere.example');
    expect(isGenuine(back.searchParams)).toBe(false);
    back.searchParams.delete('iss');
    expect(isGenuine(back.searchParams)).toBe(true);
  });

  it.each([
    ['code', 'another'],
    ['shop', 'another.myshopify.com'],
    ['state', 'another'],
    ['timestamp', '1'],
    ['hmac', '00'],
    ['hmac', ''],
    ['added', 'afterwards'],
  ])('Shopify signs what people come back with: %s cannot be %j', async (parameter, value) => {
    const { back, isGenuine } = await begin('shopify');
    back.searchParams.set(parameter, value);
    expect(isGenuine(back.searchParams)).toBe(false);
  });

  it('Shopify gives a token that does not expire to an app that may have one', async () => {
    const { connector, mock, exchange } = await begin('shopify');
    mock.next({ json: { access_token: 'shpat_first', scope: 'read_orders' } });
    const credentials = await exchange();
    expect(credentials).toEqual({ accessToken: 'shpat_first' });
    expect(connector.credentials.safeParse(credentials).success).toBe(true);
  });
});

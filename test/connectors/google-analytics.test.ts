import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { googleAnalytics } from '../../src/connectors/google-analytics.ts';
import {
  ACCOUNT,
  CONSENT,
  REPORT,
  SERVICE_ACCOUNT,
  addTwoDays,
  failureOf,
  googleAnalyticsBench,
  storedOf,
  type GoogleAnalyticsBench,
} from '../support/providers/google-analytics-connection.ts';
import { refusal, tokenRefusal, type GoogleAnalyticsMock } from '../support/providers/google-analytics.ts';

const NEVER = { baseMs: 3_600_000, maxMs: 3_600_000, jitter: 0 };

let bench: GoogleAnalyticsBench;
let mock: GoogleAnalyticsMock;
/** What the mocks of earlier tests found wrong */
const problems: string[] = [];

beforeEach(async () => {
  bench = await googleAnalyticsBench();
  mock = bench.mock;
});

afterEach(async () => {
  problems.push(...mock.problems);
  await mock.close();
});

const requestsTo = (path: string) => mock.requests.filter((request) => request.path === path);

describe('a check', () => {
  it('tells the property’s time zone and currency', async () => {
    expect(await bench.check()).toEqual(ACCOUNT);
    expect(mock.requests).toHaveLength(2);
  });

  it.each(['JPY', 'KWD'])('tells a currency without two decimals: %s', async (currencyCode) => {
    mock.property.currencyCode = currencyCode;
    mock.property.timeZone = 'Asia/Tokyo';
    expect(await bench.check()).toMatchObject({ currency: currencyCode, timeZone: 'Asia/Tokyo' });
  });

  it('takes a time zone that is none for an unknown one', async () => {
    mock.next({ json: { access_token: 'ya29.x' } }, { json: { metadata: { timeZone: '(not set)' } } });
    expect(await bench.check()).toMatchObject({ timeZone: null, currency: null });
  });

  it('works with a service account, whose lines may be as in its key file', async () => {
    const keyFile = { ...SERVICE_ACCOUNT, privateKey: SERVICE_ACCOUNT.privateKey.replaceAll('\n', '\\n') };
    expect(await bench.check(bench.connect(SERVICE_ACCOUNT))).toEqual(ACCOUNT);
    expect(await bench.check(bench.connect(keyFile))).toEqual(ACCOUNT);
  });

  it.each([
    ['none', 'Viewer', 'User does not have sufficient permissions for this property.'],
    ['other scope', 'analytics.readonly', 'Request had insufficient authentication scopes.'],
    [
      'api off',
      'analyticsdata.googleapis.com',
      'Google Analytics Data API has not been used in project 1 before.',
    ],
  ] as const)('names the permission that is missing: %s', async (access, scope, message) => {
    mock.access = access;
    const error = await failureOf(bench.check());
    expect(error).toMatchObject({
      kind: 'forbidden_scope',
      scope,
      message: `Google Analytics said: ${message}`,
    });
    expect(requestsTo(REPORT)).toHaveLength(1);
  });

  it('shortens what Google said', async () => {
    mock.next({ json: { access_token: 'ya29.x' } }, refusal(400, 'INVALID_ARGUMENT', 'x'.repeat(5_000)));
    const error = await failureOf(bench.check());
    expect(error.kind).toBe('bad_request');
    expect(error.message.length).toBeLessThan(230);
  });
});

describe('access tokens', () => {
  it('are asked for once, by however many', async () => {
    const connection = bench.connect();
    await Promise.all([bench.check(connection), bench.check(connection), bench.check(connection)]);
    await bench.pull({ connection });
    expect(mock.tokens).toHaveLength(1);
  });

  it('are renewed a minute before they end', async () => {
    const connection = bench.connect(SERVICE_ACCOUNT);
    await bench.check(connection);
    bench.clock.pass(3_530_000);
    await bench.check(connection);
    expect(mock.tokens).toHaveLength(1);
    bench.clock.pass(10_000);
    await bench.check(connection);
    expect(mock.tokens).toHaveLength(2);
  });

  it('that end in the middle of a run are renewed once, and nothing is lost', async () => {
    addTwoDays(mock);
    const whole = storedOf(await bench.pull());
    mock.afterReport(() => mock.expireTokens());
    expect(storedOf(await bench.pull())).toEqual(whole);
    expect(mock.tokens).toHaveLength(3);
  });

  it.each([
    ['a person’s consent', CONSENT],
    ['a service account', SERVICE_ACCOUNT],
  ])('that Google refuses to renew end the run: %s', async (_, credentials) => {
    mock.afterReport(() => {
      mock.expireTokens();
      mock.revoke();
    });
    const error = await failureOf(bench.pull({ connection: bench.connect(credentials) }));
    expect(error).toMatchObject({
      kind: 'auth_expired',
      message: 'Google said: invalid_grant: Token has been expired or revoked.',
    });
    expect(requestsTo('/token')).toHaveLength(2);
  });

  it('that are refused although they are new end the run', async () => {
    const refused = refusal(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    mock.next({ json: { access_token: 'ya29.x' } }, refused, { json: { access_token: 'ya29.y' } }, refused);
    expect((await failureOf(bench.check())).kind).toBe('auth_expired');
    expect(mock.requests).toHaveLength(4);
  });

  it('are asked for once where there is nothing to show for one', async () => {
    const wrong = { ...CONSENT, clientSecret: 'GOCSPX-secret of another client' };
    expect(await failureOf(bench.check(bench.connect(wrong)))).toMatchObject({ kind: 'auth_expired' });
    expect(mock.requests).toHaveLength(1);
  });

  it('cannot be had with a key that is none, and Google is not asked', async () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----';
    const error = await failureOf(bench.check(bench.connect({ ...SERVICE_ACCOUNT, privateKey: pem })));
    expect(error.kind).toBe('auth_expired');
    expect(mock.requests).toHaveLength(0);
  });

  it('are not used before a rotated refresh token is stored', async () => {
    const stored: unknown[] = [];
    let requestsByThen = 0;
    mock.rotatesTo = '1//refresh-2';
    const replace = async (next: unknown) => {
      stored.push(next);
      requestsByThen = mock.requests.length;
      return true;
    };
    await bench.check(bench.open({ read: async () => CONSENT, replace }));
    expect(stored).toEqual([{ ...CONSENT, refreshToken: '1//refresh-2' }]);
    expect(requestsByThen).toBe(1);
  });

  it.each([
    ['while ours was rotated', { json: { access_token: 'ya29.lost', refresh_token: '1//lost' } }],
    ['before ours was refused', tokenRefusal('invalid_grant', 'Token has been expired or revoked.')],
  ])('are asked for by the refresh token that another process stored %s', async (_, answer) => {
    const stale = { ...CONSENT, refreshToken: '1//stale' };
    let stored = stale;
    mock.next(answer);
    const connection = bench.open({
      async read() {
        // Somebody else replaces it as soon as our request is under way.
        if (mock.requests.length > 0) stored = CONSENT;
        return stored;
      },
      replace: () => Promise.reject(new Error('nothing was to be replaced')),
    });
    expect(await bench.check(connection)).toEqual(ACCOUNT);
    const shown = requestsTo('/token').map(({ body }) => new URLSearchParams(body).get('refresh_token'));
    expect(shown).toEqual(['1//stale', CONSENT.refreshToken]);
    expect(requestsTo(REPORT).map(({ headers }) => headers['authorization'])).toEqual([
      `Bearer ${mock.tokens.at(-1)}`,
    ]);
  });

  it('come after a server error of the token endpoint', async () => {
    mock.next({ status: 503, text: '<html>Error 503</html>' });
    expect(await bench.check()).toEqual(ACCOUNT);
  });

  it('are waited for where the token endpoint is asked too often', async () => {
    mock.next({
      ...tokenRefusal('rate_limit_exceeded', 'Rate Limit Exceeded', 429),
      headers: { 'retry-after': '600' },
    });
    const error = await failureOf(bench.check());
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date('2026-11-27T10:10:00Z') });
  });

  it.each([{ json: { token: 'ya29.x' } }, { text: '{"access_token": "ya29.' }])(
    'that cannot be read are asked for again',
    async (answer) => {
      mock.next(answer);
      expect(await bench.check()).toEqual(ACCOUNT);
    },
  );
});

describe('trouble', () => {
  const unavailable = refusal(503, 'UNAVAILABLE', 'The service is currently unavailable.');

  it.each([
    ['a server error', unavailable],
    ['a page of a proxy', { status: 502, text: '<html>502 Bad Gateway</html>' }],
    ['what is no JSON', { text: '{"rows": [' }],
    ['a body that is cut', { json: { kind: 'analyticsData#runReport' }, isTruncated: true }],
  ])('of one request, %s, ends no run', async (_, answer) => {
    addTwoDays(mock);
    const whole = storedOf(await bench.pull());
    const connection = bench.connect();
    await bench.check(connection);
    mock.next(answer);
    expect(storedOf(await bench.pull({ connection }))).toEqual(whole);
  });

  it('with an answer that is no report leaves it to the next run', async () => {
    const connection = bench.connect();
    await bench.check(connection);
    mock.next({ json: { rows: 'many' } });
    const error = await failureOf(bench.pull({ connection }));
    expect(error).toMatchObject({
      kind: 'transient',
      message: 'Google Analytics answered something that is no report.',
    });
    expect((await bench.pull({ connection })).at(-1)?.isLast).toBe(true);
  });

  it('is asked for three times and no more: a property has ten server errors an hour', async () => {
    const connection = bench.connect();
    await bench.check(connection);
    mock.next(unavailable, unavailable, unavailable);
    const error = await failureOf(bench.pull({ connection }));
    expect(error).toMatchObject({
      kind: 'transient',
      message: 'Google Analytics said: The service is currently unavailable.',
    });
    expect(requestsTo(REPORT)).toHaveLength(4);
  });

  it('does not lead us elsewhere with a token', async () => {
    const connection = bench.connect();
    await bench.check(connection);
    mock.next({ status: 302, headers: { location: 'https://elsewhere.example/' } });
    expect((await failureOf(bench.pull({ connection }))).kind).toBe('bad_request');
  });

  it('a request that Google does not understand is not sent again', async () => {
    const connection = bench.connect();
    await bench.check(connection);
    mock.next(refusal(400, 'INVALID_ARGUMENT', 'Field clicks is not a valid metric.'));
    const error = await failureOf(bench.pull({ connection }));
    expect(error).toMatchObject({
      kind: 'bad_request',
      message: 'Google Analytics said: Field clicks is not a valid metric.',
    });
    expect(requestsTo(REPORT)).toHaveLength(2);
  });

  it.each([
    ['a report', { json: { access_token: 'ya29.x' } }],
    ['a token', null],
  ])('ends at once when the run is called off while it waits for %s', async (_, token) => {
    const controller = new AbortController();
    mock.next(...(token ? [token] : []), unavailable);
    const running = bench.pull({ connection: bench.connect(CONSENT, NEVER), signal: controller.signal });
    await expect.poll(() => mock.requests.length).toBe(token ? 2 : 1);
    controller.abort(new Error('called off'));
    await expect(running).rejects.toThrow('called off');
  });
});

describe('what is entered', () => {
  it('is a property by its digits alone', () => {
    expect(googleAnalytics.config.safeParse({ propertyId: '123456' }).success).toBe(true);
    for (const propertyId of ['', 'UA-123-1', '1/../2', '123:runReport', ' 1'])
      expect(googleAnalytics.config.safeParse({ propertyId }).success).toBe(false);
  });

  it('is a key or a consent, and neither by halves', () => {
    const { credentials } = googleAnalytics;
    expect(credentials.safeParse(SERVICE_ACCOUNT).success).toBe(true);
    expect(credentials.safeParse(CONSENT).success).toBe(true);
    expect(credentials.safeParse({ clientEmail: SERVICE_ACCOUNT.clientEmail }).success).toBe(false);
    expect(credentials.safeParse({ ...SERVICE_ACCOUNT, privateKey: 'secret' }).success).toBe(false);
    expect(credentials.safeParse({ ...CONSENT, refreshToken: '' }).success).toBe(false);
  });
});

it('what was asked and answered is as Google’s specification has it', () => {
  expect(problems).toEqual([]);
});

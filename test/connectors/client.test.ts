import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProviderClient, type ProviderAnswer, type ProviderProtocol } from '../../src/connectors/client.ts';
import { ProviderError } from '../../src/connectors/provider-error.ts';
import { retryAfterMs } from '../../src/lib/retry-after.ts';
import { startMockServer, type MockAnswer, type MockServer } from '../support/providers/mock-server.ts';
import { waitFor } from '../support/wait.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const GOOD: MockAnswer = { json: { ok: true } };

let mock: MockServer;
/** What it answers when nothing else was said. */
let usual: MockAnswer;

beforeEach(async () => {
  usual = GOOD;
  mock = await startMockServer({ handle: () => usual, contract: null });
});
afterEach(() => mock.close());

function live(): AbortSignal {
  return new AbortController().signal;
}

/** 429 and Retry-After, 401 and 5xx, as most providers mean them. */
function judge({ status, headers }: ProviderAnswer, now: Date): ProviderError | null {
  const afterMs = retryAfterMs(headers.get('retry-after'), now);
  if (status === 401) return new ProviderError('auth_expired', 'Acme refuses the key.');
  if (status === 429)
    return new ProviderError('rate_limited', 'Acme asks us to be slower.', {
      ...(afterMs !== undefined && { resumeAt: new Date(now.getTime() + afterMs) }),
    });
  return null;
}

interface Given {
  readonly protocol?: Partial<ProviderProtocol>;
  /** Delay before the second try, in ms */
  readonly baseMs?: number;
}

function clientOf({ protocol = {}, baseMs = 1 }: Given = {}): ProviderClient {
  return new ProviderClient({
    protocol: {
      title: 'Acme',
      baseUrl: mock.url,
      timeoutMs: 10_000,
      requestIdHeader: 'acme-request-id',
      headers: () => ({ authorization: 'Bearer secret' }),
      renew: () => Promise.resolve(false),
      judge,
      ...protocol,
    },
    clock: { now: () => NOW },
    backoff: { baseMs, maxMs: baseMs },
  });
}

function limited(retryAfter: string): MockAnswer {
  return { status: 429, headers: { 'retry-after': retryAfter }, json: {} };
}

describe('a request', () => {
  test('carries its parameters, its body and the credentials of that moment', async () => {
    let asked = 0;
    const client = clientOf({ protocol: { headers: () => ({ authorization: `Bearer ${(asked += 1)}` }) } });
    const query = { fields: ['a', 'b'], page: 2, none: undefined };
    await client.request({ path: '/things', query }, live());
    await client.request({ method: 'POST', path: '/reports', json: { from: 'yesterday' } }, live());
    await client.request({ method: 'POST', path: '/token', form: { grant: 'a b' } }, live());
    const [first, second, third] = mock.requests;
    expect(first).toMatchObject({ method: 'GET', path: '/things', body: '' });
    expect(first?.query.toString()).toBe('fields=a&fields=b&page=2');
    expect(first?.headers['authorization']).toBe('Bearer 1');
    expect(second).toMatchObject({ method: 'POST', body: '{"from":"yesterday"}' });
    expect(second?.headers).toMatchObject({
      authorization: 'Bearer 2',
      'content-type': 'application/json',
    });
    expect(third?.body).toBe('grant=a+b');
    expect(third?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  });

  test('goes to the address that the credentials name, where nothing else does', async () => {
    const client = clientOf({ protocol: { baseUrl: () => Promise.resolve(mock.url) } });
    await expect(client.request({ path: '/' }, live())).resolves.toMatchObject({ json: { ok: true } });
  });

  test('has parameters that belong to its headers, anew with each try', async () => {
    let tokens = 0;
    const client = clientOf({
      protocol: {
        headers: () => ({ token: `t${(tokens += 1)}` }),
        query: ({ token = '' }) => Promise.resolve({ proof: token }),
      },
    });
    mock.next({ status: 503 });
    await client.request({ path: '/', query: { page: 1 } }, live());
    expect(mock.requests.map(({ query }) => query.toString())).toEqual([
      'page=1&proof=t1',
      'page=1&proof=t2',
    ]);
  });
});

describe('trouble', () => {
  test.each([
    ['HTTP 500', { status: 500, json: { error: 'oops' } }],
    ['HTTP 502 in HTML', { status: 502, text: '<html>Bad gateway</html>' }],
    ['HTTP 503 without a body', { status: 503 }],
    ['JSON that is none', { text: '{"ok":' }],
    ['a good status without a body', { status: 200 }],
    ['a body that is cut off', { json: { ok: 'a long enough text' }, isTruncated: true }],
  ])('that passes is not seen: %s', async (_, answer) => {
    mock.next(answer, answer, answer, answer);
    await expect(clientOf().request({ path: '/' }, live())).resolves.toMatchObject({ json: { ok: true } });
    expect(mock.requests).toHaveLength(5);
  });

  test('that stays is given up after five tries, with the provider’s id of the last request', async () => {
    usual = { status: 500, headers: { 'acme-request-id': 'req_7' }, json: {} };
    await expect(clientOf().request({ path: '/' }, live())).rejects.toMatchObject({
      name: 'ProviderError',
      kind: 'transient',
      message: 'Acme answered HTTP 500.',
      requestId: 'req_7',
    });
    expect(mock.requests).toHaveLength(5);
  });

  test('is given up sooner where the provider’s protocol says so', async () => {
    usual = { status: 500, json: {} };
    await expect(
      clientOf({ protocol: { triesMax: 2 } }).request({ path: '/' }, live()),
    ).rejects.toMatchObject({ kind: 'transient' });
    expect(mock.requests).toHaveLength(2);
  });

  test('that nothing mends is said at once: HTTP 400 is our own fault', async () => {
    usual = { status: 400, json: {} };
    await expect(clientOf().request({ path: '/' }, live())).rejects.toMatchObject({ kind: 'bad_request' });
    expect(mock.requests).toHaveLength(1);
  });

  test('behind a good status is what the protocol makes of it', async () => {
    const client = clientOf({ protocol: { judge: () => new ProviderError('forbidden_scope', 'No.') } });
    await expect(client.request({ path: '/' }, live())).rejects.toMatchObject({ kind: 'forbidden_scope' });
  });

  test('such as nobody being there is transient, and the credentials are not told', async () => {
    const client = clientOf();
    await mock.close();
    const error: unknown = await client.request({ path: '/' }, live()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'transient', message: 'Acme did not answer.' });
    expect(JSON.stringify(error) + String((error as Error).cause)).not.toContain('secret');
    mock = await startMockServer({ handle: () => GOOD, contract: null });
  });

  test('such as no answer within the time limit is transient', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const baseUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const client = clientOf({ protocol: { baseUrl, timeoutMs: 20 } });
    await expect(client.request({ path: '/' }, live())).rejects.toMatchObject({
      kind: 'transient',
      cause: { name: 'TimeoutError' },
    });
    silent.closeAllConnections();
    silent.close();
  });

  test('such as an answer that is too long is refused, and not asked for again', async () => {
    usual = { text: 'x'.repeat(64 * 1024 * 1024 + 1) };
    const asked = clientOf({ protocol: { timeoutMs: 120_000 } }).request({ path: '/' }, live());
    await expect(asked).rejects.toMatchObject({ kind: 'bad_request', message: expect.any(String) });
    await expect(asked).rejects.toThrow('larger than');
    expect(mock.requests).toHaveLength(1);
  });
});

describe('a rate limit', () => {
  test('that is short is waited for as long as the provider says, not as long as we would', async () => {
    mock.next(limited('0'), limited('0'));
    // Our own delay would outlast the test.
    const client = clientOf({ baseMs: 600_000 });
    await expect(client.request({ path: '/' }, live())).resolves.toMatchObject({ status: 200 });
    expect(mock.requests).toHaveLength(3);
  });

  test('is never asked before its time', async () => {
    mock.next(limited('0.2'));
    const started = performance.now();
    await clientOf().request({ path: '/' }, live());
    // A timer may fire a millisecond early.
    expect(performance.now() - started).toBeGreaterThanOrEqual(198);
  });

  test('that is long is thrown with the moment to come again', async () => {
    mock.next(limited('3600'));
    await expect(clientOf().request({ path: '/' }, live())).rejects.toMatchObject({
      kind: 'rate_limited',
      resumeAt: new Date('2026-11-28T13:00:00Z'),
    });
    expect(mock.requests).toHaveLength(1);
  });

  test('without a moment is waited for by our own measure, five times at most', async () => {
    usual = { status: 429, json: {} };
    await expect(clientOf().request({ path: '/' }, live())).rejects.toMatchObject({
      kind: 'rate_limited',
      resumeAt: null,
    });
    expect(mock.requests).toHaveLength(5);
  });

  test('without a moment is not held where our own measure is long', async () => {
    usual = { status: 429, json: {} };
    const client = clientOf({ baseMs: 600_000 });
    await expect(client.request({ path: '/' }, live())).rejects.toMatchObject({ kind: 'rate_limited' });
    expect(mock.requests).toHaveLength(1);
  });
});

describe('what may not be repeated', () => {
  const POST = { method: 'POST', path: '/orders', json: {} } as const;

  test.each([
    ['HTTP 500', { status: 500, json: {} }],
    ['an answer that is cut off', { json: { ok: 'a long enough text' }, isTruncated: true }],
    ['an answer that is no JSON', { text: 'ok' }],
  ])('is sent once, whatever came of it: %s', async (_, answer) => {
    usual = answer;
    await expect(clientOf().request(POST, live())).rejects.toMatchObject({ kind: 'transient' });
    expect(mock.requests).toHaveLength(1);
  });

  test('is sent again after a short rate limit, which did nothing', async () => {
    mock.next(limited('0'));
    await expect(clientOf().request(POST, live())).resolves.toMatchObject({ status: 200 });
    expect(mock.requests.map(({ body }) => body)).toEqual(['{}', '{}']);
  });

  test('may be repeated when the request says that it reads only', async () => {
    mock.next({ status: 500, json: {} });
    await expect(clientOf().request({ ...POST, isRepeatable: true }, live())).resolves.toBeDefined();
    expect(mock.requests).toHaveLength(2);
  });

  test('may be a GET as well', async () => {
    usual = { status: 500, json: {} };
    await expect(clientOf().request({ path: '/', isRepeatable: false }, live())).rejects.toBeDefined();
    expect(mock.requests).toHaveLength(1);
  });
});

describe('a refusal', () => {
  test('renews the credentials once, and the request goes out again with the new ones', async () => {
    let token = 'old';
    let renewals = 0;
    const client = clientOf({
      protocol: {
        headers: () => ({ authorization: token }),
        renew: () => {
          renewals += 1;
          token = 'new';
          return Promise.resolve(true);
        },
      },
    });
    mock.next({ status: 401, json: {} });
    const body = { method: 'POST', path: '/', json: { a: 1 } } as const;
    await expect(client.request(body, live())).resolves.toMatchObject({ status: 200 });
    expect(mock.requests.map(({ headers, body }) => [headers['authorization'], body])).toEqual([
      ['old', '{"a":1}'],
      ['new', '{"a":1}'],
    ]);
    expect(renewals).toBe(1);
  });

  test('of the new credentials too is final', async () => {
    let renewals = 0;
    const client = clientOf({ protocol: { renew: () => Promise.resolve((renewals += 1) > 0) } });
    usual = { status: 401, json: {} };
    await expect(client.request({ path: '/' }, live())).rejects.toMatchObject({ kind: 'auth_expired' });
    expect([renewals, mock.requests.length]).toEqual([1, 2]);
    // Each request may renew once.
    await expect(client.request({ path: '/' }, live())).rejects.toMatchObject({ kind: 'auth_expired' });
    expect([renewals, mock.requests.length]).toEqual([2, 4]);
  });

  test('where there is nothing to renew is final at once', async () => {
    usual = { status: 401, json: {} };
    await expect(clientOf().request({ path: '/' }, live())).rejects.toMatchObject({ kind: 'auth_expired' });
    expect(mock.requests).toHaveLength(1);
  });

  test('is what a renewal that fails says', async () => {
    const failed = new ProviderError('auth_expired', 'Acme took the permission back.');
    const client = clientOf({ protocol: { renew: () => Promise.reject(failed) } });
    usual = { status: 401, json: {} };
    await expect(client.request({ path: '/' }, live())).rejects.toBe(failed);
  });
});

describe('credentials stay with the provider', () => {
  let other: MockServer;
  beforeEach(async () => {
    other = await startMockServer({ handle: () => GOOD, contract: null });
  });
  afterEach(() => other.close());

  test.each([301, 302, 303, 307, 308])('however it redirects: HTTP %i', async (status) => {
    mock.next({ status, headers: { location: `${other.url}/` }, json: {} });
    await expect(clientOf().request({ path: '/' }, live())).rejects.toMatchObject({
      kind: 'bad_request',
      message: 'Acme sent us elsewhere.',
    });
    expect([mock.requests.length, other.requests.length]).toEqual([1, 0]);
  });

  test('and a redirect to itself is not followed either', async () => {
    mock.next({ status: 302, headers: { location: '/else' }, json: {} });
    await expect(clientOf().request({ path: '/' }, live())).rejects.toMatchObject({ kind: 'bad_request' });
    expect(mock.requests).toHaveLength(1);
  });

  test('whatever whole address a page names', async () => {
    const { port } = new URL(mock.url);
    const addresses = [
      `${other.url}/next`,
      `http://localhost:${port}/next`,
      `https://127.0.0.1:${port}/next`,
      `http://127.0.0.1:${port}@${new URL(other.url).host}/next`,
      'file:///etc/passwd',
      'data:application/json,{}',
    ];
    for (const path of addresses) {
      await expect(clientOf().request({ path }, live()), path).rejects.toMatchObject({
        kind: 'bad_request',
        message: expect.stringContaining('another host'),
      });
    }
    expect([mock.requests.length, other.requests.length]).toEqual([0, 0]);
  });

  test.each(['', 'next', '?page=2', 'http://'])(
    'and what is no address is not asked for: %j',
    async (path) => {
      await expect(clientOf().request({ path }, live())).rejects.toMatchObject({
        kind: 'bad_request',
        message: 'Acme named a page that is none.',
      });
    },
  );

  test('and a whole address at the provider is asked as it stands', async () => {
    await clientOf().request({ path: `${mock.url}/next?cursor=a%2Fb` }, live());
    expect(mock.requests[0]?.query.get('cursor')).toBe('a/b');
  });

  test('and an address that begins with two slashes is a path', async () => {
    await clientOf().request({ path: `//${new URL(other.url).host}/next` }, live());
    expect([mock.requests.length, other.requests.length]).toEqual([1, 0]);
  });
});

describe('whoever is told to stop', () => {
  const reason = new Error('cancelled by a person');

  test('stops waiting for the next try at once, with the reason', async () => {
    const controller = new AbortController();
    usual = { status: 503, json: {} };
    const asked = clientOf({ baseMs: 600_000 }).request({ path: '/' }, controller.signal);
    const outcome = expect(asked).rejects.toBe(reason);
    await waitFor(() => mock.requests.length === 1);
    controller.abort(reason);
    await outcome;
    expect(mock.requests).toHaveLength(1);
  });

  test('stops waiting for an answer at once, with the reason', async () => {
    const controller = new AbortController();
    const silent = createServer(() => controller.abort(reason)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const baseUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const client = clientOf({ protocol: { baseUrl } });
    await expect(client.request({ path: '/' }, controller.signal)).rejects.toBe(reason);
    silent.closeAllConnections();
    silent.close();
  });

  test('before it began asks nothing', async () => {
    await expect(clientOf().request({ path: '/' }, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(mock.requests).toEqual([]);
  });
});

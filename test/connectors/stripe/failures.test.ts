import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { PulledPage } from '../../../src/connectors/connector.ts';
import type { ProviderError } from '../../../src/connectors/provider-error.ts';
import { startMockServer } from '../../support/providers/mock-server.ts';
import {
  idsOf,
  live,
  NOW,
  refusalOf,
  sales,
  secondsOf,
  useStripe,
} from '../../support/providers/stripe-connection.ts';
import { KEY, refuse } from '../../support/providers/stripe.ts';

const provider = useStripe();

describe('what goes wrong at Stripe', () => {
  test('a pause of a few seconds at most is waited for', async () => {
    provider.mock.add(...sales(101));
    provider.mock.next(refuse(429, 'Too many requests'), {
      ...refuse(429, 'Again'),
      headers: { 'retry-after': '0' },
    });
    expect(idsOf(await provider.pullAll())).toHaveLength(101);
    expect(provider.mock.requests).toHaveLength(4);
  });

  test('a longer one gives the work back until then, and whoever comes back loses nothing', async () => {
    provider.mock.add(...sales(250));
    const pages: PulledPage[] = [];
    const reading = (async () => {
      for await (const page of provider.pull()) {
        pages.push(page);
        provider.mock.next({
          ...refuse(429, 'Too many requests'),
          headers: { 'retry-after': '90', 'request-id': 'req_1' },
        });
      }
    })();
    expect(await refusalOf(reading)).toMatchObject({
      kind: 'rate_limited',
      message: 'Stripe cannot answer now: Too many requests',
      resumeAt: new Date('2026-11-28T12:01:30Z'),
      requestId: 'req_1',
    });
    expect(provider.mock.requests).toHaveLength(2);
    const rest = await provider.pullAll({ after: pages.at(-1)?.cursor });
    expect(new Set(idsOf([...pages, ...rest]))).toEqual(new Set(sales(250).map(({ id }) => id)));
  });

  test('whoever is told not to try again waits a minute', async () => {
    provider.mock.next({
      ...refuse(500, 'Something is broken'),
      headers: { 'stripe-should-retry': 'false' },
    });
    const { error } = await provider.pullUntilError();
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date('2026-11-28T12:01:00Z') });
    expect(provider.mock.requests).toHaveLength(1);
  });

  test.each([
    ['a failure of its own', refuse(500, 'An error occurred on our side', { type: 'api_error' })],
    ['a conflict', refuse(409, 'The object is in use')],
    [
      'a lock that somebody else has',
      refuse(429, 'This object cannot be accessed', { code: 'lock_timeout' }),
    ],
    [
      'a refusal that it wants to be repeated',
      { ...refuse(400, 'Not yet'), headers: { 'stripe-should-retry': 'true' } },
    ],
    ['HTML of a proxy', { status: 502, text: '<html>Bad gateway</html>' }],
    ['malformed JSON', { text: '{"object": "list", "data": [' }],
    ['half of a body', { json: { object: 'list', data: [], has_more: false }, isTruncated: true }],
  ])('%s is asked again', async (_, answer) => {
    provider.mock.add(...sales(1));
    provider.mock.next(answer, answer);
    expect(idsOf(await provider.pullAll())).toEqual(['txn_1']);
    expect(provider.mock.requests).toHaveLength(3);
  });

  test('what does not pass is given up after five tries, with the request to name to its support', async () => {
    provider.mock.next(...Array.from({ length: 5 }, () => refuse(503, 'Down')));
    const { error } = await provider.pullUntilError();
    expect(error).toMatchObject({ kind: 'transient', requestId: 'req_mock' });
    expect(provider.mock.requests).toHaveLength(5);
  });

  test('a key that ends in the middle ends the pull, with the pages before it kept', async () => {
    provider.mock.add(...sales(250));
    const pages: PulledPage[] = [];
    const reading = (async () => {
      for await (const page of provider.pull()) {
        pages.push(page);
        provider.mock.revoke();
      }
    })();
    expect(await refusalOf(reading)).toMatchObject({
      kind: 'auth_expired',
      message: 'Stripe refuses the key: Expired API Key provided: (key)',
    });
    expect(idsOf(pages)).toHaveLength(100);
    expect(provider.mock.requests).toHaveLength(2);
  });

  test('a permission that is missing is named', async () => {
    provider.mock.forbid('rak_charge_read');
    const { error } = await provider.pullUntilError();
    expect(error).toMatchObject({ kind: 'forbidden_scope', scope: 'rak_charge_read', requestId: 'req_mock' });
    expect(provider.mock.requests).toHaveLength(1);
  });

  test('a window that was left at a transaction which is gone is read from its end again', async () => {
    provider.mock.add(...sales(3));
    const from = secondsOf(new Date('2026-11-25T00:00:00Z'));
    const window = { from, until: secondsOf(NOW), startingAfter: 'txn_of_nobody' };
    const pages = await provider.pullAll({ after: window });
    expect(new Set(idsOf(pages))).toEqual(new Set(['txn_1', 'txn_2', 'txn_3']));
    expect(pages.map(({ notes }) => notes.length)).toEqual([1, ...pages.slice(1).map(() => 0)]);
    expect(provider.mock.requests.map(({ query }) => query.get('starting_after'))).toEqual([
      'txn_of_nobody',
      null,
    ]);
    expect(provider.mock.requests[1]?.query.get('created[gte]')).toBe(String(from));
  });

  test('a request that it does not take is not repeated', async () => {
    provider.mock.next(refuse(400, 'Received unknown parameter: created'));
    const { error } = await provider.pullUntilError();
    expect(error).toMatchObject({
      kind: 'bad_request',
      message: 'Stripe does not take the request: Received unknown parameter: created',
    });
    expect(provider.mock.requests).toHaveLength(1);
  });

  test('an answer of another shape is named, and not taken for the end of the list', async () => {
    provider.mock.next({ json: { object: 'list', items: [] } });
    const { error } = await provider.pullUntilError();
    expect(error.kind).toBe('bad_request');
    expect(error.message).toMatch(/^Stripe answered something else than was asked for: .*data/);
  });

  test('nobody else gets the key, wherever Stripe seems to send us', async () => {
    const stranger = await startMockServer({ handle: () => ({ json: {} }), contract: null });
    provider.mock.next({ status: 302, headers: { location: `${stranger.url}/v1/balance_transactions` } });
    const { error } = await provider.pullUntilError();
    expect(error.kind).toBe('bad_request');
    expect(stranger.requests).toEqual([]);
    await stranger.close();
  });

  test('no error holds a key, whatever Stripe repeats of it', async () => {
    const errors: ProviderError[] = [];
    provider.mock.next(refuse(400, `Do not send ${KEY} to us. ${'It is secret. '.repeat(40)}`));
    errors.push((await provider.pullUntilError()).error);
    provider.mock.next(...Array.from({ length: 5 }, () => ({ json: {}, isTruncated: true })));
    errors.push((await provider.pullUntilError()).error);
    errors.push(await refusalOf(provider.open({ account: 'acct_1Other' }).check(live())));
    errors.push(await refusalOf(provider.open({ key: 'rk_test_51Wrong51Wrong' }).check(live())));
    provider.mock.revoke();
    errors.push((await provider.pullUntilError()).error);
    expect(errors.map(({ kind }) => kind)).toEqual([
      'bad_request',
      'transient',
      'forbidden_scope',
      'auth_expired',
      'auth_expired',
    ]);
    const told = inspect(errors, { depth: 10, showHidden: true });
    for (const part of [KEY, 'rk_test', KEY.slice(-6), '51Wrong']) expect(told).not.toContain(part);
    for (const { message } of errors) expect(message.length).toBeLessThan(260);
  });
});

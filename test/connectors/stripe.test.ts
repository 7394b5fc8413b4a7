import { describe, expect, test } from 'vitest';
import type { PulledPage } from '../../src/connectors/connector.ts';
import { stripe } from '../../src/connectors/stripe.ts';
import {
  ACCOUNT,
  factsOf,
  FROM,
  idsOf,
  live,
  NOW,
  refusalOf,
  sales,
  secondsOf,
  useStripe,
} from '../support/providers/stripe-connection.ts';
import { CONNECTED_ACCOUNT, KEY, refuse, sale } from '../support/providers/stripe.ts';
import { waitFor } from '../support/wait.ts';

const DAY_SECONDS = 86_400;

const provider = useStripe();

describe('a pull', () => {
  test('reads all pages of a window, the newest first, and ends with where the next one begins', async () => {
    provider.mock.add(...sales(250));
    const pages = await provider.pullAll();
    const until = secondsOf(NOW);
    const window = { from: secondsOf(FROM), until };
    expect(pages.map(({ records, cursor, isLast }) => [records.length, cursor, isLast])).toEqual([
      [100, { ...window, startingAfter: 'txn_100' }, false],
      [100, { ...window, startingAfter: 'txn_200' }, false],
      [50, { from: until - 3 * DAY_SECONDS }, true],
    ]);
    expect(idsOf(pages)).toEqual(sales(250).map(({ id }) => id));
    expect(provider.mock.requests.map(({ query }) => query.get('starting_after'))).toEqual([
      null,
      'txn_100',
      'txn_200',
    ]);
  });

  test('asks Stripe as this release understands it, for the account that it was made for', async () => {
    await provider.pullAll({ connection: provider.open({ account: CONNECTED_ACCOUNT }) });
    expect(provider.mock.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'stripe-version': '2026-10-28.endive',
      'stripe-account': CONNECTED_ACCOUNT,
    });
  });

  test('of an account without movements gives one page, which is the last', async () => {
    const cursor = { from: secondsOf(NOW) - 3 * DAY_SECONDS };
    expect(await provider.pullAll()).toEqual([
      { records: [], rejected: [], removed: [], cursor, isLast: true, total: null, notes: [] },
    ]);
  });

  test('that follows a complete one reads three days again, and nothing older', async () => {
    provider.mock.add(
      sale({ id: 'txn_old', at: '2026-11-24T11:59:59Z', amount: 100 }),
      sale({ id: 'txn_again', at: '2026-11-25T12:00:00Z', amount: 200 }),
    );
    const [first] = await provider.pullAll();
    provider.mock.add(sale({ id: 'txn_new', at: '2026-11-28T12:30:00Z', amount: 300 }));
    const later = provider.open({ now: new Date('2026-11-28T13:00:00Z') });
    expect(idsOf(await provider.pullAll({ connection: later, after: first?.cursor }))).toEqual([
      'txn_new',
      'txn_again',
    ]);
  });

  test('keeps to its window: what comes while it reads is of the next one', async () => {
    provider.mock.add(...sales(150));
    const pages: PulledPage[] = [];
    for await (const page of provider.pull()) {
      pages.push(page);
      provider.mock.add(sale({ id: `txn_late_${pages.length}`, at: '2026-11-28T12:00:00Z', amount: 1 }));
    }
    expect(idsOf(pages)).toEqual(sales(150).map(({ id }) => id));
    const later = provider.open({ now: new Date('2026-11-28T12:00:01Z') });
    const next = await provider.pullAll({ connection: later, after: pages.at(-1)?.cursor });
    expect(idsOf(next).slice(0, 2)).toEqual(['txn_late_2', 'txn_late_1']);
  });

  test('that goes on with a window which was left open reads the rest of it, and then what came since', async () => {
    provider.mock.add(...sales(150));
    let left: unknown = null;
    for await (const page of provider.pull()) {
      left = page.cursor;
      break;
    }
    provider.mock.add(sale({ id: 'txn_new', at: '2026-11-30T09:00:00Z', amount: 1 }));
    const later = provider.open({ now: new Date('2026-11-30T12:00:00Z') });
    const pages = await provider.pullAll({ connection: later, after: left });
    expect(pages.map(({ records, isLast }) => [records.length, isLast])).toEqual([
      [50, false],
      [100, false],
      [51, true],
    ]);
    const known = [...sales(150).map(({ id }) => id), 'txn_new'];
    expect(new Set([...idsOf(pages), ...sales(100).map(({ id }) => id)])).toEqual(new Set(known));
    expect(pages.at(-1)?.cursor).toEqual({ from: Date.parse('2026-11-27T12:00:00Z') / 1_000 });
  });

  test('takes a movement that is on two pages as it comes, under the same id both times', async () => {
    const [twice, ...rest] = sales(3);
    provider.mock.next({ json: { object: 'list', data: [rest[0], twice], has_more: true, url: '/' } });
    provider.mock.add(...[twice, ...rest].filter((each) => each !== undefined));
    const pages = await provider.pullAll();
    expect(idsOf(pages)).toEqual(['txn_2', 'txn_1', 'txn_2', 'txn_3']);
    const keys = factsOf(pages).map((fact) => ('key' in fact ? fact.key : ''));
    expect(keys).toEqual(['ch_2', 'ch_1', 'ch_2', 'ch_3']);
  });

  test('starts from the beginning with a cursor of another release', async () => {
    provider.mock.add(...sales(2));
    expect(idsOf(await provider.pullAll({ after: { since: '2026-11-27' } }))).toEqual(['txn_1', 'txn_2']);
  });

  test('does not go round in circles when Stripe says that there is more and gives nothing', async () => {
    provider.mock.next({ json: { object: 'list', data: [], has_more: true, url: '/' } });
    const { error } = await provider.pullUntilError();
    expect(error).toMatchObject({
      kind: 'bad_request',
      message: 'Stripe says that there is more and not after what.',
    });
  });

  test('ends within a second of the signal, with its reason', async () => {
    provider.mock.next({ ...refuse(429, 'Too many requests'), headers: { 'retry-after': '5' } });
    const controller = new AbortController();
    const pulling = provider.pullAll({ signal: controller.signal });
    const outcome = expect(pulling).rejects.toThrow('enough');
    await waitFor(() => provider.mock.requests.length === 1);
    const abortedAt = performance.now();
    controller.abort(new Error('enough'));
    await outcome;
    expect(performance.now() - abortedAt).toBeLessThan(1_000);
    expect(provider.mock.requests).toHaveLength(1);
  });
});

describe('a check', () => {
  test('tells whose key it is, and where that account counts its days', async () => {
    await expect(provider.open().check(live())).resolves.toEqual(ACCOUNT);
    expect(provider.mock.requests.map(({ path }) => path)).toEqual([
      '/v1/account',
      '/v1/balance_transactions',
    ]);
  });

  test.each([
    ['an account without a name', { settings: null, business_profile: null }, 'owner@shop.test', 'Etc/UTC'],
    [
      'one without an address',
      { settings: null, business_profile: null, email: null },
      'acct_1Mock',
      'Etc/UTC',
    ],
  ])('of %s finds another label', async (_, account, label, timeZone) => {
    await provider.restart(account);
    await expect(provider.open().check(live())).resolves.toMatchObject({ label, timeZone });
  });

  test('of a time zone that does not exist counts in UTC', async () => {
    provider.mock.next({ json: { id: 'acct_1', settings: { dashboard: { timezone: 'Mars/Olympus' } } } });
    const expected = {
      id: 'acct_1',
      label: 'acct_1',
      timeZone: 'Etc/UTC',
      currency: null,
      missingScopes: [],
    };
    await expect(provider.open().check(live())).resolves.toEqual(expected);
  });

  test.each(['rak_balance_transaction_read', 'rak_charge_read'])(
    'names %s when it is missing',
    async (scope) => {
      provider.mock.forbid(scope);
      await expect(provider.open().check(live())).resolves.toMatchObject({ missingScopes: [scope] });
    },
  );

  test('of a key that may not say whose it is names the permission for that', async () => {
    provider.mock.forbid('rak_accounts_kyc_basic_read');
    const error = await refusalOf(provider.open().check(live()));
    expect(error).toMatchObject({ kind: 'forbidden_scope', scope: 'rak_accounts_kyc_basic_read' });
  });

  test('of a wrong key is auth_expired after one request', async () => {
    const error = await refusalOf(provider.open({ key: 'rk_test_51Wrong51Wrong' }).check(live()));
    expect(error.kind).toBe('auth_expired');
    expect(provider.mock.requests).toHaveLength(1);
  });
});

describe('what is entered', () => {
  test.each([
    [{ key: 'pk_live_public' }, {}],
    [{ key: 'rk_live_a\nb' }, {}],
    [{ key: KEY, more: '' }, {}],
    [{ key: KEY }, { account: 'acct_1/../v1' }],
    [{ key: KEY }, { url: 'https://elsewhere.test' }],
  ])('%j with %j is refused', (credentials, config) => {
    const { success } = stripe.credentials.safeParse(credentials);
    expect(success && stripe.config.safeParse(config).success).toBe(false);
  });
});

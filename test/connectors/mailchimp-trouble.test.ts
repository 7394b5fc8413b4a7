import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { PulledPage } from '../../src/connectors/connector.ts';
import { mailchimp } from '../../src/connectors/mailchimp.ts';
import {
  MAILCHIMP_KEY,
  MAILCHIMP_TOKEN,
  mailchimpProblem,
  startMailchimp,
} from '../support/providers/mailchimp.ts';
import {
  ACCOUNT,
  idsOf,
  live,
  mailchimpBench,
  NOW,
  readAll,
  storeOf,
} from '../support/providers/mailchimp-connection.ts';
import { waitFor } from '../support/wait.ts';

const BUSY = mailchimpProblem(429, 'Too Many Requests', 'You have exceeded the limit of 10 connections.');

const bench = mailchimpBench();

describe('trouble at Mailchimp', () => {
  test.each([
    ['429', BUSY],
    ['429 without a body', { status: 429 }],
    ['403 without a body', { status: 403 }],
    ['403 of a server in front', { status: 403, text: '<html>Access Denied</html>' }],
  ])('that is short is waited for: %s', async (_, answer) => {
    bench.smallPages(4);
    const pages: PulledPage[] = [];
    for await (const page of bench.pull()) {
      pages.push(page);
      if (pages.length === 1) bench.mock.next(answer, answer);
    }
    expect(idsOf(pages)).toEqual(['r1', 'r2', 'r3', 'r4']);
    expect(bench.mock.requests).toHaveLength(4);
  });

  test.each([
    ['429', BUSY],
    ['403 without a body', { status: 403 }],
  ])('that lasts is a limit without an end, and the next run goes on: %s', async (_, answer) => {
    bench.smallPages(6);
    const pages: PulledPage[] = [];
    const broken = (async () => {
      for await (const page of bench.pull()) {
        pages.push(page);
        if (pages.length === 2) bench.mock.next(...Array.from({ length: 5 }, () => answer));
      }
    })();
    await expect(broken).rejects.toMatchObject({ kind: 'rate_limited', resumeAt: null });
    const rest = await readAll(bench.pull({ after: pages.at(-1)?.cursor }));
    expect([...idsOf(pages), ...idsOf(rest.pages)].slice(0, 6)).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'r6']);
    expect(rest.error).toBeNull();
  });

  test.each([
    ['HTTP 500', mailchimpProblem(500, 'Internal Server Error', 'An unexpected error occurred.')],
    ['HTTP 502 in HTML', { status: 502, text: '<html>Bad gateway</html>' }],
    ['JSON that is none', { text: '{"reports":[' }],
    ['a body that is cut off', { json: { reports: [], total_items: 0 }, isTruncated: true }],
  ])('is asked again: %s', async (_, answer) => {
    bench.smallPages(2);
    bench.mock.next(answer, answer);
    const { pages, error } = await readAll(bench.pull());
    expect(error).toBeNull();
    expect(idsOf(pages)).toEqual(['r1', 'r2']);
    expect(bench.mock.requests).toHaveLength(3);
  });

  test('that does not end is transient, with Mailchimp’s words and its id of the request', async () => {
    const bad = mailchimpProblem(500, 'Internal Server Error', 'An unexpected error occurred.');
    bench.mock.next(bad, bad, bad, bad, bad);
    const { error } = await readAll(bench.pull());
    expect(error).toMatchObject({
      kind: 'transient',
      message: 'Mailchimp has trouble: Internal Server Error: An unexpected error occurred.',
      requestId: 'c116af38-54cd-7c91-efff-548d25d48699',
    });
  });

  test('such as an answer of another shape is said', async () => {
    bench.mock.next({ json: { campaigns: [] } });
    const { error } = await readAll(bench.pull());
    expect(error).toMatchObject({
      kind: 'bad_request',
      message: 'Mailchimp answered something else than was asked for.',
    });
  });

  test('never leads elsewhere: a redirect and the links in an answer are not followed', async () => {
    bench.campaigns(1);
    const other = await startMailchimp();
    bench.mock.next({ status: 302, headers: { location: `${other.url}/reports` }, json: {} });
    const { error } = await readAll(bench.pull());
    expect(error).toMatchObject({ kind: 'bad_request' });
    await readAll(bench.pull());
    expect(other.requests).toEqual([]);
    await other.close();
  });
});

describe('refusals', () => {
  test('of a key that was taken back in the middle end the run, which a new key goes on with', async () => {
    bench.smallPages(4);
    const pages: PulledPage[] = [];
    const broken = (async () => {
      for await (const page of bench.pull()) {
        pages.push(page);
        bench.mock.state.keys.clear();
      }
    })();
    await expect(broken).rejects.toMatchObject({
      kind: 'auth_expired',
      message: expect.stringContaining('API Key Invalid'),
    });
    // There is nothing to renew: asked once, not again.
    expect(bench.mock.requests).toHaveLength(2);
    const fresh = 'abcdefabcdefabcdefabcdefabcdefab-us6';
    bench.mock.state.keys.add(fresh);
    const rest = await readAll(bench.pull({ after: pages[0]?.cursor, credentials: { apiKey: fresh } }));
    expect(idsOf(rest.pages).slice(0, 2)).toEqual(['r3', 'r4']);
  });

  test('for want of a permission name it', async () => {
    bench.mock.state.mayReadReports = false;
    const { error } = await readAll(bench.pull());
    expect(error).toMatchObject({
      kind: 'forbidden_scope',
      scope: 'Forbidden',
      message: 'Mailchimp does not allow it: Forbidden: You are not permitted to access this resource.',
    });
    expect(bench.mock.requests).toHaveLength(1);
  });

  test.each([
    ['another data center', mailchimpProblem(403, 'Wrong Datacenter', 'The key belongs elsewhere.')],
    ['something that is not there', mailchimpProblem(404, 'Resource Not Found')],
    ['a wrong request', mailchimpProblem(400, 'Invalid Resource', 'x'.repeat(500))],
  ])('of %s are final, and short', async (_, answer) => {
    bench.mock.next(answer);
    const { error } = await readAll(bench.pull());
    expect(error).toMatchObject({ kind: 'bad_request' });
    expect(error?.message.length).toBeLessThan(250);
    expect(bench.mock.requests).toHaveLength(1);
  });

  test('show no credential, even where Mailchimp repeats it', async () => {
    bench.mock.next(mailchimpProblem(401, 'API Key Invalid', `There is no key ${MAILCHIMP_KEY}.`));
    const byKey = await readAll(bench.pull());
    bench.mock.next(mailchimpProblem(400, 'Bad Request', `Token ${MAILCHIMP_TOKEN}`));
    const byToken = await readAll(
      bench.pull({ credentials: { accessToken: MAILCHIMP_TOKEN, dataCenter: 'us6' } }),
    );
    const unreachable = await readAll(bench.pull({ baseUrl: 'http://127.0.0.1:1' }));
    for (const { error } of [byKey, byToken, unreachable]) {
      const told = textOf(error);
      expect(told).toContain('Mailchimp');
      expect(told).not.toContain(MAILCHIMP_KEY.slice(0, 32));
      expect(told).not.toContain(MAILCHIMP_TOKEN);
      expect(told).not.toContain(Buffer.from(`millrace:${MAILCHIMP_KEY}`).toString('base64'));
    }
  });
});

/** An error with all that it carries. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack ?? ''} ${JSON.stringify(Object.entries(error))} ${textOf(error.cause)}`;
}

describe('check', () => {
  test('names the account and its time zone', async () => {
    await expect(bench.connection().check(live())).resolves.toEqual(ACCOUNT);
    expect(bench.mock.requests.map(({ path }) => path)).toEqual(['/']);
  });

  test('takes a time zone that is none for none', async () => {
    bench.mock.state.account = { ...bench.mock.state.account, account_timezone: 'Mars/Olympus' };
    await expect(bench.connection().check(live())).resolves.toMatchObject({ timeZone: null });
  });

  test('works with a token of OAuth, and not with a wrong key', async () => {
    const token = { accessToken: MAILCHIMP_TOKEN, dataCenter: 'us6' };
    await expect(bench.connection({ credentials: token }).check(live())).resolves.toEqual(ACCOUNT);
    expect(bench.mock.requests[0]?.headers['authorization']).toBe(`Bearer ${MAILCHIMP_TOKEN}`);
    const wrong = { apiKey: '00000000000000000000000000000000-us6' };
    await expect(bench.connection({ credentials: wrong }).check(live())).rejects.toMatchObject({
      kind: 'auth_expired',
    });
  });
});

test('a run that is told to stop while it waits ends at once, with the reason', async () => {
  const controller = new AbortController();
  bench.mock.next({ status: 503 });
  const run = readAll(bench.pull({ signal: controller.signal, baseMs: 600_000 }));
  await waitFor(() => bench.mock.requests.length === 1);
  const started = performance.now();
  const reason = new Error('cancelled by a person');
  controller.abort(reason);
  expect((await run).error).toBe(reason);
  expect(performance.now() - started).toBeLessThan(1_000);
});

describe('the address', () => {
  beforeAll(() => {
    vi.stubGlobal('fetch', (url: URL) => Promise.resolve(Response.json({ ...ROOT, account_name: url.href })));
    return () => vi.unstubAllGlobals();
  });
  const ROOT = { account_id: 'a', account_timezone: '' };

  test.each([
    ['the key names', {}, { apiKey: '0123456789abcdef0123456789abcdef-us21' }, 'us21'],
    ['comes with the token', {}, { accessToken: MAILCHIMP_TOKEN, dataCenter: 'us2' }, 'us2'],
    ['was entered', { dataCenter: 'us5' }, { apiKey: '0123456789abcdef0123456789abcdef-us21' }, 'us5'],
  ])('is the data center that %s', async (_, config, credentials, expected) => {
    const open = mailchimp.open({ config, credentials: storeOf(credentials), clock: { now: () => NOW } });
    const { label } = await open.check(live());
    expect(new URL(label).origin).toBe(`https://${expected}.api.mailchimp.com`);
    expect(new URL(label).pathname).toBe('/3.0/');
  });

  test.each(['us6.evil.example/', 'us6@evil.example', 'US6', '', 'us6\n'])(
    'is never made of %j',
    (dataCenter) => {
      expect(mailchimp.config.safeParse({ dataCenter }).success).toBe(false);
      expect(mailchimp.credentials.safeParse({ accessToken: 'x', dataCenter }).success).toBe(false);
      const apiKey = `0123456789abcdef0123456789abcdef-${dataCenter}`;
      expect(mailchimp.credentials.safeParse({ apiKey }).success).toBe(false);
    },
  );
});

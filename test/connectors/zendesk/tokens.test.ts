import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zendesk } from '../../../src/connectors/zendesk.ts';
import {
  idsOf,
  NOON,
  putTickets,
  zendeskBench,
  type ZendeskBench,
} from '../../support/providers/zendesk-connection.ts';
import { waitFor } from '../../support/wait.ts';

const ENDED = new Date(NOON.getTime() - 1_000).toISOString();

let bench: ZendeskBench;

beforeEach(async () => {
  bench = await zendeskBench();
  bench.mock.settings.rowsMax = 1;
  putTickets(bench.mock, 3);
});

afterEach(async () => {
  await bench.mock.close();
  expect(bench.mock.problems).toEqual([]);
});

const signal = () => new AbortController().signal;

function bearers(): (string | undefined)[] {
  return bench.mock.requests
    .filter(({ path }) => path !== '/oauth/tokens')
    .map(({ headers }) => headers.authorization);
}

describe('the tokens of a connection to Zendesk', () => {
  it('are both renewed when the one in use ends in the middle of a run, and nothing is lost', async () => {
    const pages = [];
    for await (const page of bench.pull()) {
      pages.push(page);
      if (pages.length === 1) bench.mock.expireToken();
    }
    expect(idsOf(pages)).toEqual(['1', '2', '3']);
    expect(bench.mock.tokenRequests()).toBe(1);
    const { accessToken, refreshToken } = bench.mock.credentials;
    expect(bench.store.held).toMatchObject({
      clientId: 'millrace_sync',
      expiresAt: new Date(NOON.getTime() + 1_800_000).toISOString(),
    });
    expect(inspect(bench.store.held)).not.toContain(accessToken);
    expect(inspect(bench.store.held)).not.toContain(refreshToken);
  });

  it('are renewed before use when the time of the one has come, and stored before that', async () => {
    bench.store.held = { ...bench.mock.credentials, expiresAt: ENDED };
    await bench.open().check(signal());
    expect(bench.mock.requests.map(({ path }) => path)).toEqual([
      '/oauth/tokens',
      '/api/v2/users/me',
      '/api/v2/account/settings',
    ]);
    expect(bench.store.replacedAfter).toEqual([1]);
    expect(new Set(bearers()).has(`Bearer ${bench.mock.credentials.accessToken ?? ''}`)).toBe(false);
  });

  it('are renewed a minute ahead of time, and not before', async () => {
    const ends = (ms: number) => new Date(NOON.getTime() + ms).toISOString();
    bench.store.held = { ...bench.mock.credentials, expiresAt: ends(60_000) };
    await bench.open().check(signal());
    expect(bench.mock.tokenRequests()).toBe(0);
    bench.store.held = { ...bench.mock.credentials, expiresAt: ends(59_999) };
    await bench.open().check(signal());
    expect(bench.mock.tokenRequests()).toBe(1);
  });

  it.each([
    ['before use', ENDED],
    ['after a refusal', undefined],
  ])('are renewed once for all who need them at the same time, %s', async (_when, expiresAt) => {
    bench.mock.expireToken();
    bench.store.held = { ...bench.mock.credentials, expiresAt };
    const connection = bench.open();
    await Promise.all(Array.from({ length: 8 }, () => connection.check(signal())));
    expect(bench.mock.tokenRequests()).toBe(1);
  });

  it('are renewed time and again', async () => {
    const connection = bench.open();
    for (let round = 1; round <= 3; round += 1) {
      bench.clock.pass(3_600_000);
      await connection.check(signal());
      expect(bench.mock.tokenRequests()).toBe(round);
    }
  });

  it.each([
    ['has renewed them since ours was sent', undefined, 1],
    ['renews them while we are refused', undefined, 3],
    ['renews them while we do, before use', ENDED, 2],
    ['has renewed them and stores them a moment later', ENDED, 4],
  ])('are taken from the store when another process %s', async (_when, expiresAt, staleReads) => {
    const stale = { ...bench.mock.credentials, expiresAt };
    bench.mock.expireToken();
    await bench.open().check(signal());
    const fresh = bench.store.held;
    const requests = bench.mock.tokenRequests();
    let reads = 0;
    bench.store.read = async () => ((reads += 1) <= staleReads ? stale : fresh);
    await expect(bench.open().check(signal())).resolves.toMatchObject({ id: 'acme' });
    expect(bench.store.held).toBe(fresh);
    expect(bench.mock.tokenRequests() - requests).toBe(staleReads === 1 ? 0 : 1);
  });

  it('that another process stored while we renewed them are used, and not ours', async () => {
    const stale = { ...bench.mock.credentials, expiresAt: ENDED };
    bench.store.held = stale;
    await bench.open().check(signal());
    const winners = bench.store.held;
    const theirs = bearers().at(-1);
    bench.store.held = stale;
    bench.store.replace = async () => {
      bench.store.held = winners;
      return false;
    };
    bench.mock.next({
      json: { access_token: 'the-one-that-lost', refresh_token: 'lost', expires_in: 1_800 },
    });
    await expect(bench.open().check(signal())).resolves.toMatchObject({ id: 'acme' });
    expect(new Set(bearers())).toEqual(new Set([theirs]));
    expect(bench.store.held).toBe(winners);
  });

  it('are stored though what was there was encrypted anew meanwhile: that is good for nothing any more', async () => {
    bench.store.held = { ...bench.mock.credentials, expiresAt: ENDED };
    const { replace } = bench.store;
    let attempts = 0;
    bench.store.replace = async (next) => ((attempts += 1) === 1 ? false : replace(next));
    await bench.open().check(signal());
    await bench.open().check(signal());
    expect(attempts).toBe(2);
    expect(bench.mock.tokenRequests()).toBe(1);
  });

  it('are asked for by the client’s secret where there is no refresh token', async () => {
    bench.store.held = bench.mock.clientOnlyCredentials;
    bench.mock.expireToken();
    await bench.open().check(signal());
    expect(JSON.parse(bench.mock.requests[1]?.body ?? '')).toMatchObject({
      grant_type: 'client_credentials',
    });
    expect(zendesk.credentials.parse(bench.store.held)).not.toHaveProperty(
      'refreshToken',
      expect.any(String),
    );
  });

  it.each([
    ['after a refusal', undefined, 2],
    ['before use', ENDED, 1],
  ])(
    'that Zendesk does not renew end the connection, and are tried once: %s',
    async (_when, expiresAt, requests) => {
      bench.mock.revokeAll();
      bench.store.held = { ...bench.mock.credentials, expiresAt };
      await expect(bench.open().check(signal())).rejects.toMatchObject({
        kind: 'auth_expired',
        message:
          'Zendesk did not renew the token: invalid_grant: The refresh token … is invalid, expired or revoked.',
      });
      expect(bench.mock.requests).toHaveLength(requests);
      expect(bench.store.replacedAfter).toEqual([]);
    },
  );

  it('that a client of another secret asks for end the connection', async () => {
    bench.mock.expireToken();
    bench.store.held = { ...bench.mock.clientOnlyCredentials, clientSecret: 'another' };
    await expect(bench.open().check(signal())).rejects.toMatchObject({ kind: 'auth_expired' });
  });

  it.each([
    ['broken', { status: 500, json: {} }, 'transient'],
    ['confused', { json: { token: 'none' } }, 'transient'],
    ['busy', { status: 429, headers: { 'retry-after': '30' }, json: {} }, 'rate_limited'],
  ])('are not over because Zendesk is %s when it is asked for new ones', async (_how, answer, kind) => {
    bench.mock.next({ status: 401, json: { error: 'invalid_token' } }, answer);
    await expect(bench.open().check(signal())).rejects.toMatchObject({ kind });
    expect(bench.store.replacedAfter).toEqual([]);
    await expect(bench.open().check(signal())).resolves.toMatchObject({ id: 'acme' });
  });

  it('that are refused as soon as they are new are not renewed again', async () => {
    const connection = bench.open();
    bench.mock.expireToken();
    await connection.check(signal());
    bench.mock.expireToken();
    await expect(connection.check(signal())).rejects.toMatchObject({ kind: 'auth_expired' });
    expect(bench.mock.tokenRequests()).toBe(1);
  });

  it('are stored even when the run that asked for them is ended meanwhile', async () => {
    const abort = new AbortController();
    const ends = new Error('stopped by a person');
    const held = { ...bench.mock.credentials, expiresAt: ENDED };
    let reads = 0;
    bench.store.read = async () => {
      reads += 1;
      if (reads === 2) abort.abort(ends);
      return held;
    };
    await expect(bench.open().check(abort.signal)).rejects.toBe(ends);
    await waitFor(() => bench.store.replacedAfter.length > 0);
    expect(bench.mock.requests).toHaveLength(1);
    expect(bench.store.held).not.toMatchObject({ refreshToken: bench.mock.credentials.refreshToken });
  });

  it('are in no error, even where Zendesk repeats what it was sent', async () => {
    const errors: unknown[] = [];
    const attempt = async (): Promise<void> =>
      void (await bench
        .open()
        .check(signal())
        .catch((error: unknown) => errors.push(error)));
    bench.mock.revokeAll();
    await attempt();
    bench.store.held = { ...bench.mock.credentials, expiresAt: ENDED };
    await attempt();
    const { accessToken = '', refreshToken = '', clientSecret = '' } = bench.mock.credentials;
    const repeated = { error: accessToken, description: `${refreshToken} of ${clientSecret}` };
    for (const status of [403, 422]) {
      bench.mock.next({ status, json: repeated });
      bench.store.held = bench.mock.credentials;
      await attempt();
    }
    bench.mock.next(...Array.from({ length: 5 }, () => ({ json: repeated, isTruncated: true })));
    await attempt();
    expect(errors).toHaveLength(5);
    const told = inspect(errors, { depth: 20, showHidden: true }) + JSON.stringify(errors);
    for (const secret of [accessToken, refreshToken, clientSecret]) expect(told).not.toContain(secret);
  });

  it('are of OAuth: an address with an API token is no credential', () => {
    expect(zendesk.credentials.safeParse({ email: 'a@example.com', apiToken: 'x' }).success).toBe(false);
  });
});

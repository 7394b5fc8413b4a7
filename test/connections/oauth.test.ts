import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginConnect, finishConnect, type OAuthDeps } from '../../src/connections/oauth.ts';
import { connectorsOf } from '../../src/connectors/index.ts';
import { ProviderError } from '../../src/connectors/provider-error.ts';
import { UserFacingError } from '../../src/domain/errors.ts';
import { newUuid } from '../../src/domain/ids.ts';
import { createLog } from '../../src/lib/log.ts';
import { OPEN_ATTEMPTS_MAX, pruneConnectAttempts } from '../../src/repositories/connect-attempts.ts';
import { findConnection, pauseConnection } from '../../src/repositories/connections.ts';
import { ALLOWED_KEY, allowingProvider, APP, CODE } from '../support/allowing-provider.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testCipher } from '../support/job-context.ts';
import { createOrganization } from '../support/organization.ts';
import { createWorld } from '../support/scripted-provider.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function open() {
  const { db } = database;
  const world = createWorld(1);
  const lines: string[] = [];
  let at = new Date();
  const { id: organizationId } = await createOrganization(db, { name: 'The <Shop>' });
  const deps: OAuthDeps = {
    db,
    cipher: testCipher,
    connectors: connectorsOf(allowingProvider(world)),
    baseUrls: {},
    clock: { now: () => at },
    log: createLog({
      level: 'trace',
      process: 'test',
      destination: { write: (line) => void lines.push(line) },
    }),
    apps: { scripted: APP },
    redirectUri: () => 'https://millrace.example/oauth/callback',
  };
  const given = { organizationId, createdBy: 'api:test', provider: 'scripted' };
  const begin = async (more: { connectionId?: string } = {}): Promise<URL> =>
    new URL((await beginConnect(deps, { ...given, ...more })).url);
  const comeBack = (url: URL, more: Readonly<Record<string, string>> = { code: CODE }) =>
    finishConnect(deps, new URLSearchParams({ state: url.searchParams.get('state') ?? '', ...more }));
  const rows = async (table: 'connections' | 'connect_attempts'): Promise<Record<string, unknown>[]> =>
    (
      await db.query<Record<string, unknown>>(`SELECT * FROM ${table} WHERE organization_id = $1`, [
        organizationId,
      ])
    ).rows;
  const pass = (ms: number): void => void (at = new Date(at.getTime() + ms));
  return { deps, given, begin, comeBack, rows, pass, world, lines, organizationId, db };
}

const errorsOf = async (running: Promise<unknown>) => {
  const error: unknown = await running.then(() => null).catch((thrown: unknown) => thrown);
  if (error instanceof UserFacingError) return error.errors;
  throw new Error(`expected a person's mistake, got ${String(error)}`);
};

const CONNECTED = { type: 'connected', label: 'A scripted account', organizationName: 'The <Shop>' };

describe('connecting at a provider', () => {
  it('connects what was allowed, and lets its first sync be due', async () => {
    const { begin, comeBack, rows } = await open();
    const url = await begin();
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: APP.clientId,
      redirect_uri: 'https://millrace.example/oauth/callback',
    });
    expect(await comeBack(url)).toEqual(CONNECTED);
    const connections = await rows('connections');
    expect(connections).toMatchObject([{ provider: 'scripted', created_by: 'api:test' }]);
    expect(connections[0]?.['next_sync_at']).toBeInstanceOf(Date);
  });

  it('stores neither the state nor the verifier, and logs neither code nor key', async () => {
    const { begin, comeBack, rows, lines, world } = await open();
    const url = await begin();
    const stored = await rows('connect_attempts');
    const state = url.searchParams.get('state') ?? 'none';
    expect(Buffer.from(state, 'base64url').byteLength).toBe(32);
    expect(JSON.stringify(stored)).not.toContain(state);
    expect(String(stored[0]?.['verifier'])).toMatch(/^v1\./);
    world.refusal = new ProviderError('transient', 'Scripted has trouble.');
    expect(await comeBack(url)).toMatchObject({ type: 'failed', message: 'Scripted has trouble.' });
    expect(lines.length).toBeGreaterThan(0);
    for (const secret of [state, CODE, ALLOWED_KEY, APP.clientSecret])
      expect(lines.join('')).not.toContain(secret);
  });

  it('takes a state once, also of ten who come at once', async () => {
    const { begin, comeBack, rows } = await open();
    const url = await begin();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => comeBack(url)));
    expect(outcomes.filter(({ type }) => type === 'connected')).toHaveLength(1);
    expect(outcomes.filter(({ type }) => type === 'unknown')).toHaveLength(9);
    expect(await rows('connections')).toHaveLength(1);
  });

  it('knows no state that is none of its own, none, or too old', async () => {
    const { begin, comeBack, pass, rows } = await open();
    const url = await begin();
    const forged = new URL(url);
    forged.searchParams.set('state', 'guessed');
    expect(await comeBack(forged)).toEqual({ type: 'unknown' });
    forged.searchParams.delete('state');
    expect(await comeBack(forged)).toEqual({ type: 'unknown' });
    pass(10 * 60_000);
    expect(await comeBack(url)).toEqual({ type: 'unknown' });
    expect(await rows('connections')).toEqual([]);
  });

  it.each([
    [
      { error: 'access_denied', code: CODE },
      { type: 'denied', code: 'access_denied' },
    ],
    [{ code: CODE, signature: 'forged' }, { type: 'mismatch' }],
    [{}, { type: 'mismatch' }],
    [{ code: 'another' }, { type: 'failed', message: 'Scripted did not give access.' }],
  ])('connects nothing for %j, and the state is used', async (query, outcome) => {
    const { begin, comeBack, rows } = await open();
    const url = await begin();
    expect(await comeBack(url, query)).toMatchObject(outcome);
    expect(await comeBack(url)).toEqual({ type: 'unknown' });
    expect(await rows('connections')).toEqual([]);
  });

  it('gives a connection new credentials, and one that is paused stays so', async () => {
    const { begin, comeBack, rows, db, organizationId } = await open();
    await comeBack(await begin());
    const [row] = await rows('connections');
    const connectionId = String(row?.['id']);
    await pauseConnection(db, organizationId, connectionId);
    expect(await comeBack(await begin({ connectionId }))).toEqual(CONNECTED);
    const after = await findConnection(db, organizationId, connectionId);
    expect(after).toMatchObject({ isPaused: true });
    expect(after?.credentials).not.toBe(row?.['credentials']);
    expect(await rows('connections')).toHaveLength(1);
  });

  it('refuses the credentials of another account', async () => {
    const { begin, comeBack, rows, world } = await open();
    await comeBack(await begin());
    const connectionId = String((await rows('connections'))[0]?.['id']);
    const url = await begin({ connectionId });
    world.accountId = 'account 2';
    expect(await comeBack(url)).toMatchObject({
      type: 'failed',
      message: expect.stringContaining('another account'),
    });
  });

  it("treats another organization's connection as one that does not exist", async () => {
    const [ours, theirs] = [await open(), await open()];
    await theirs.comeBack(await theirs.begin());
    const connectionId = String((await theirs.rows('connections'))[0]?.['id']);
    const asked = (id: string) => errorsOf(beginConnect(ours.deps, { ...ours.given, connectionId: id }));
    expect(await asked(connectionId)).toEqual(await asked(newUuid()));
    expect(await asked(connectionId)).toMatchObject([
      { code: 'NOT_FOUND', field: ['input', 'connectionId'] },
    ]);
  });

  it.each([
    ['toString', {}, 'NOT_FOUND'],
    ['scripted', { apps: {} }, 'NOT_ALLOWED'],
  ])('sends nobody to %s with %j', async (provider, more, code) => {
    const { deps, given, rows } = await open();
    const request = { ...given, provider };
    expect(await errorsOf(beginConnect({ ...deps, ...more }, request))).toMatchObject([
      { code, field: ['input', 'provider'] },
    ]);
    expect(await rows('connect_attempts')).toEqual([]);
  });

  it('is open to so many of an organization at once, and to more once they are too old', async () => {
    const { deps, given, db, rows } = await open();
    const all = Array.from({ length: OPEN_ATTEMPTS_MAX + 5 }, () => beginConnect(deps, given));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(OPEN_ATTEMPTS_MAX);
    expect(await errorsOf(beginConnect(deps, given))).toMatchObject([{ code: 'LIMIT_REACHED' }]);
    await db.query(
      "UPDATE connect_attempts SET expires_at = now() - interval '1 second' WHERE organization_id = $1",
      [given.organizationId],
    );
    await beginConnect(deps, given);
    expect(await pruneConnectAttempts(db, 1_000)).toBeGreaterThanOrEqual(OPEN_ATTEMPTS_MAX);
    expect(await rows('connect_attempts')).toHaveLength(1);
  });
});

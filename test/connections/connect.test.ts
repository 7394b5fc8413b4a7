import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectAccount, reconnectAccount } from '../../src/connections/connect.ts';
import type { ConnectionDeps } from '../../src/connections/deps.ts';
import { openStored } from '../../src/connections/open.ts';
import { connectorsOf } from '../../src/connectors/index.ts';
import { ProviderError, type ProviderErrorKind } from '../../src/connectors/provider-error.ts';
import { UserFacingError } from '../../src/domain/errors.ts';
import { systemClock } from '../../src/lib/clock.ts';
import {
  disconnectConnection,
  findConnection,
  pauseConnection,
  readCredentials,
  replaceCredentials,
} from '../../src/repositories/connections.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testCipher } from '../support/job-context.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization } from '../support/organization.ts';
import { createWorld, scriptedProvider } from '../support/scripted-provider.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function open() {
  const { db } = database;
  const world = createWorld(1);
  const { id: organizationId } = await createOrganization(db);
  const deps: ConnectionDeps = {
    db,
    cipher: testCipher,
    connectors: connectorsOf(scriptedProvider(world)),
    baseUrls: {},
    clock: systemClock,
    log: silentLog,
  };
  const given = {
    organizationId,
    createdBy: 'api:test',
    provider: 'scripted',
    config: {},
    credentials: { key: 'not to be seen' },
  };
  const row = async (id: string): Promise<Record<string, unknown>> => {
    const { rows } = await db.query<Record<string, unknown>>('SELECT * FROM connections WHERE id = $1', [id]);
    return rows[0] ?? {};
  };
  const count = async (): Promise<number> => {
    const { rows } = await db.query<{ count: number }>(
      'SELECT count(*)::int FROM connections WHERE organization_id = $1',
      [organizationId],
    );
    return rows[0]?.count ?? 0;
  };
  return { world, deps, given, row, count, organizationId, db };
}

const errorsOf = async (running: Promise<unknown>) => {
  const error: unknown = await running.then(() => null).catch((thrown: unknown) => thrown);
  if (error instanceof UserFacingError) return error.errors;
  throw new Error(`expected a person's mistake, got ${String(error)}`);
};

describe('connecting an account', () => {
  it('stores credentials that were checked, encrypted, and lets the first sync be due at once', async () => {
    const { deps, given, row } = await open();
    const { connectionId } = await connectAccount(deps, given);
    const stored = await row(connectionId);
    expect(stored).toMatchObject({ label: 'A scripted account', account_key: 'account 1', currency: 'EUR' });
    expect(JSON.stringify(stored)).not.toContain('not to be seen');
    expect(stored['next_sync_at']).toBeInstanceOf(Date);
  });

  it.each<[ProviderErrorKind, string, string[]]>([
    ['auth_expired', 'INVALID', ['input', 'credentials']],
    ['forbidden_scope', 'NOT_ALLOWED', ['input', 'credentials']],
    ['rate_limited', 'RATE_LIMITED', ['input']],
    ['transient', 'UNAVAILABLE', ['input']],
    ['bad_request', 'INVALID', ['input']],
  ])('stores nothing when the provider answers %s, and says %s', async (kind, code, field) => {
    const { deps, given, world, count } = await open();
    world.refusal = new ProviderError(kind, 'What the provider said.');
    expect(await errorsOf(connectAccount(deps, given))).toEqual([
      { code, field, message: 'What the provider said.' },
    ]);
    expect(await count()).toBe(0);
  });

  it('names every field of config and credentials that is wrong, before anybody is asked', async () => {
    const { deps, given, count } = await open();
    const errors = await errorsOf(connectAccount(deps, { ...given, credentials: { key: 7 } }));
    expect(errors).toMatchObject([{ code: 'INVALID', field: ['input', 'credentials', 'key'] }]);
    expect(await errorsOf(connectAccount(deps, { ...given, provider: 'toString' }))).toMatchObject([
      { code: 'NOT_FOUND', field: ['input', 'provider'] },
    ]);
    expect(await count()).toBe(0);
  });

  it('connects an account once, however many ask at once', async () => {
    const { deps, given, count } = await open();
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => connectAccount(deps, given)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await count()).toBe(1);
  });

  it('lets a disconnected account live again, with what was read of it', async () => {
    const { deps, given, row, organizationId, db } = await open();
    const { connectionId } = await connectAccount(deps, given);
    await disconnectConnection(db, organizationId, connectionId, false);
    expect(await row(connectionId)).toMatchObject({ credentials: null, next_sync_at: null });
    expect(await connectAccount(deps, given)).toEqual({ connectionId });
    expect(await row(connectionId)).toMatchObject({ disconnected_at: null });
  });

  it('makes a new connection where the data of the old one are being deleted', async () => {
    const { deps, given, organizationId, db } = await open();
    const { connectionId } = await connectAccount(deps, given);
    await disconnectConnection(db, organizationId, connectionId, true);
    expect((await connectAccount(deps, given)).connectionId).not.toBe(connectionId);
  });
});

describe('reconnecting an account', () => {
  it('leaves a paused one paused, and forgets that it was refused', async () => {
    const { deps, given, row, organizationId, db } = await open();
    const { connectionId } = await connectAccount(deps, given);
    await pauseConnection(db, organizationId, connectionId);
    await db.query('UPDATE connections SET refused_at = now() WHERE id = $1', [connectionId]);
    await reconnectAccount(deps, { ...given, connectionId });
    const stored = await row(connectionId);
    expect(stored).toMatchObject({ refused_at: null, next_sync_at: null });
    expect(stored['paused_at']).toBeInstanceOf(Date);
  });

  it('refuses credentials of another account', async () => {
    const { deps, given, world } = await open();
    const { connectionId } = await connectAccount(deps, given);
    world.accountId = 'account 2';
    expect(await errorsOf(reconnectAccount(deps, { ...given, connectionId }))).toMatchObject([
      { code: 'CONFLICT', field: ['input', 'credentials'] },
    ]);
  });

  it('does not reach a connection of another organization', async () => {
    const { deps, given } = await open();
    const { connectionId } = await connectAccount(deps, given);
    const stranger = await createOrganization(database.db);
    const asked = reconnectAccount(deps, { ...given, organizationId: stranger.id, connectionId });
    await expect(asked).rejects.toBeInstanceOf(UserFacingError);
  });
});

describe('stored credentials', () => {
  it('are replaced by the first of two processes that renewed them at once', async () => {
    const { deps, given, db } = await open();
    const { connectionId } = await connectAccount(deps, given);
    const before = (await readCredentials(db, connectionId)) ?? '';
    expect(await replaceCredentials(db, connectionId, { before, after: 'first' })).toBe(true);
    expect(await replaceCredentials(db, connectionId, { before, after: 'second' })).toBe(false);
    expect(await readCredentials(db, connectionId)).toBe('first');
  });

  it('open the account that they are of', async () => {
    const { deps, given, organizationId, db } = await open();
    const { connectionId } = await connectAccount(deps, given);
    const stored = await findConnection(db, organizationId, connectionId);
    if (!stored) throw new Error('it is not stored');
    const account = await openStored(deps, stored).check(new AbortController().signal);
    expect(account.id).toBe('account 1');
  });
});

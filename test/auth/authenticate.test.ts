import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ApiKeyVerifier } from '../../src/auth/api-key-verifier.ts';
import { bearerToken, createAuthenticator } from '../../src/auth/authenticate.ts';
import { REVOCATION_DELAY_MS, type Authenticate } from '../../src/auth/authentication.ts';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { insertApiKey, revokeApiKey, type NewApiKey } from '../../src/repositories/api-keys.ts';
import type { Sql } from '../../src/repositories/db.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization, type TestOrganization } from '../support/organization.ts';
import { statementsDuring } from '../support/statements.ts';
import { waitFor } from '../support/wait.ts';

let database: TestDatabase;
let organization: TestOrganization;
let authenticate: Authenticate;
let nowMs: number;
beforeAll(async () => {
  database = await createTestDatabase();
  organization = await createOrganization(database.db);
});
beforeEach(() => {
  nowMs = 1_000_000;
  authenticate = authenticatorOn(database.db);
});
afterAll(() => database.close());

const authenticatorOn = (sql: Sql): Authenticate =>
  createAuthenticator({
    apiKeys: new ApiKeyVerifier({ sql, clock: { now: () => new Date(nowMs) }, log: silentLog }),
    identityProvider: null,
  });

const newKey = (name = 'ci', more: Partial<NewApiKey> = {}) =>
  insertApiKey(database.db, { organizationId: organization.id, userId: null, name, role: 'member', ...more });

const ask = (token: string, organizationName: string | null = null) =>
  authenticate({ token, organization: organizationName });

const UNAUTHENTICATED = { refusal: { code: 'UNAUTHENTICATED' } };

test('a key of no person starts jobs in its own name', async () => {
  const { token } = await newKey('nightly');
  expect(await ask(token)).toEqual({
    principal: {
      organization,
      userId: null,
      credential: expect.stringMatching(/^key:[\da-f-]{36}$/),
      triggeredBy: 'api:nightly',
      role: 'member',
      permissions: new Set(['read', 'run_jobs', 'manage_schedules', 'record_activity']),
      expiresAt: null,
    },
  });
});

test('a key may as much of its role as it was made for', async () => {
  const { token } = await newKey('reader', { scopes: ['read', 'manage_queues'] });
  expect((await ask(token)).principal?.permissions).toEqual(new Set(['read']));
});

test('a key opens its own organization and no other', async () => {
  const { token } = await newKey();
  await database.db.query('UPDATE organizations SET external_id = $2 WHERE id = $1', [
    organization.id,
    'acme',
  ]);
  expect(await ask(token, toPublicId('organization', organization.id))).toHaveProperty('principal');
  expect(await ask(token, 'acme')).toHaveProperty('principal');
  expect(await ask(token, toPublicId('organization', newUuid()))).toMatchObject({
    refusal: { code: 'FORBIDDEN' },
  });
});

test('an expired key opens nothing, from the moment on', async () => {
  nowMs = Date.now();
  const { token } = await newKey('short', { expiresAt: new Date(nowMs + 60_000) });
  expect(await ask(token)).toHaveProperty('principal');
  nowMs += 60_000;
  expect(await ask(token)).toMatchObject(UNAUTHENTICATED);
});

test('the database does not hold the token', async () => {
  const { token, id } = await newKey();
  const { rows } = await database.db.query<{ row: string }>(
    'SELECT to_jsonb(k)::text AS row FROM api_keys k WHERE id = $1',
    [id],
  );
  expect(rows[0]?.row).not.toContain(token);
  expect(rows[0]?.row).not.toContain(Buffer.from(token).toString('hex'));
});

test('a revoked key opens nothing after five seconds at the latest', async () => {
  const { token, id } = await newKey();
  expect(await ask(token)).toHaveProperty('principal');
  await revokeApiKey(database.db, { organizationId: organization.id, id, revokedBy: 'api:test' });
  nowMs += REVOCATION_DELAY_MS + 1;
  expect(REVOCATION_DELAY_MS).toBeLessThanOrEqual(5_000);
  expect(await ask(token)).toMatchObject(UNAUTHENTICATED);
});

test('many simultaneous requests of one token cost one look-up', async () => {
  const { token } = await newKey();
  const statements = await statementsDuring(() => Promise.all(Array.from({ length: 50 }, () => ask(token))));
  expect(statements.filter((text) => text.startsWith('SELECT'))).toHaveLength(1);
});

test('the use of a key is noted at most once a minute', async () => {
  const { token, id } = await newKey();
  const usedAt = async () =>
    (
      await database.db.query<{ at: Date | null }>('SELECT last_used_at AS at FROM api_keys WHERE id = $1', [
        id,
      ])
    ).rows[0]?.at;
  expect(await usedAt()).toBeNull();
  await ask(token);
  await waitFor(usedAt);
  const statements = await statementsDuring(async () => {
    nowMs += 30_000;
    await ask(token);
    await ask(token);
  });
  expect(statements.some((text) => text.startsWith('UPDATE'))).toBe(false);
});

test('a database that is away is an error, not a refusal, and is asked again', async () => {
  const { token } = await newKey();
  let isAway = true;
  const flaky = authenticatorOn({
    query: (text, values) => (isAway ? Promise.reject(new Error('away')) : database.db.query(text, values)),
  });
  const credentials = { token, organization: null };
  await expect(flaky(credentials)).rejects.toThrow('away');
  isAway = false;
  expect(await flaky(credentials)).toHaveProperty('principal');
});

test.each(['', 'nonsense', 'a.b.c', 'x'.repeat(10_000)])('%j is nobody', async (token) => {
  expect(await ask(token)).toMatchObject(UNAUTHENTICATED);
  expect(await authenticate(null)).toMatchObject(UNAUTHENTICATED);
});

test.each([
  ['Bearer abc', 'abc'],
  ['bearer  abc ', 'abc'],
  ['Bearer', null],
  ['Basic abc', null],
  ['Bearer a b', null],
  [undefined, null],
])('the header %j carries %j', (header, token) => {
  expect(bearerToken(header)).toBe(token);
});

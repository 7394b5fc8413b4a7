import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  bearerToken,
  createAuthenticator,
  REVOCATION_DELAY_MS,
  type Authenticate,
} from '../../src/auth/authenticate.ts';
import { roleAtLeast } from '../../src/auth/principal.ts';
import { insertApiKey, revokeApiKey } from '../../src/repositories/api-keys.ts';
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
  authenticate = createAuthenticator({
    sql: database.db,
    clock: { now: () => new Date(nowMs) },
    log: silentLog,
  });
});
afterAll(() => database.close());

const newKey = (name = 'ci') =>
  insertApiKey(database.db, { organizationId: organization.id, userId: null, name, role: 'member' });

test('a key of no person starts jobs in its own name', async () => {
  const { token } = await newKey('nightly');
  expect(await authenticate(token)).toEqual({
    organization,
    userId: null,
    triggeredBy: 'api:nightly',
    role: 'member',
  });
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
  expect(await authenticate(token)).not.toBeNull();
  await revokeApiKey(database.db, id);
  nowMs += REVOCATION_DELAY_MS + 1;
  expect(REVOCATION_DELAY_MS).toBeLessThanOrEqual(5_000);
  expect(await authenticate(token)).toBeNull();
});

test('many simultaneous requests of one token cost one look-up', async () => {
  const { token } = await newKey();
  const statements = await statementsDuring(() =>
    Promise.all(Array.from({ length: 50 }, () => authenticate(token))),
  );
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
  await authenticate(token);
  await waitFor(usedAt);
  const statements = await statementsDuring(async () => {
    nowMs += 30_000;
    await authenticate(token);
    await authenticate(token);
  });
  expect(statements.some((text) => text.startsWith('UPDATE'))).toBe(false);
});

test('a database that is away is an error, not a refusal, and is asked again', async () => {
  const { token } = await newKey();
  let isAway = true;
  const flaky = createAuthenticator({
    sql: {
      query: (text, values) => (isAway ? Promise.reject(new Error('away')) : database.db.query(text, values)),
    },
    clock: { now: () => new Date(nowMs) },
    log: silentLog,
  });
  await expect(flaky(token)).rejects.toThrow('away');
  isAway = false;
  expect(await flaky(token)).not.toBeNull();
});

test.each([null, undefined, '', 'nonsense', 'x'.repeat(10_000)])('%j is nobody', async (token) => {
  expect(await authenticate(token)).toBeNull();
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

test('each role may all that the ones before it may', () => {
  expect([
    roleAtLeast('viewer', 'member'),
    roleAtLeast('member', 'member'),
    roleAtLeast('admin', 'viewer'),
  ]).toEqual([false, true, true]);
});

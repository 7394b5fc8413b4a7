import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { disconnectConnection, pauseConnection } from '../../src/repositories/connections.ts';
import { seedDemo, type DemoAccount } from '../../src/repositories/demo-seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const tokens = { admin: 'mr_admin_1', member: 'mr_member_1', viewer: 'mr_viewer_1' };

const account = (provider: string, feeds: string): DemoAccount => ({
  provider,
  account: { id: 'demo', label: `${provider} (made-up figures)`, timeZone: 'Europe/Berlin', currency: 'EUR' },
  entities: [{ name: 'things', feeds }],
});
const accounts = [account('demo_shop', 'revenue'), account('demo_ads', 'ads')];

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.close());

const seed = (options: Partial<Parameters<typeof seedDemo>[1]> = {}) =>
  seedDemo(database.db, { tokens, accounts, encrypted: (id) => `sealed ${id}`, ...options });

/** All that the seed wrote, row by row, as text. */
async function everything(): Promise<string[]> {
  const tables = ['organizations', 'users', 'memberships', 'api_keys', 'connections', 'connection_cursors'];
  const parts = tables.map(
    (table) => `SELECT '${table} ' || row_to_json(t)::text AS line FROM ${table} AS t`,
  );
  const { rows } = await database.db.query<{ line: string }>(`${parts.join(' UNION ALL ')} ORDER BY line`);
  return rows.map((row) => row.line);
}

async function connections() {
  const { rows } = await database.db.query<{ id: string; organizationId: string; provider: string }>(
    'SELECT id, organization_id AS "organizationId", provider FROM connections ORDER BY provider',
  );
  return rows;
}

describe('the demo', () => {
  test('has each account connected, due at once and read every two minutes, for the last thirteen months', async () => {
    await seed();
    const { rows } = await database.db.query(
      `SELECT provider, label, config, credentials = 'sealed ' || c.id AS sealed, c.time_zone, sync_every_seconds,
              next_sync_at <= now() AS due, CURRENT_DATE - sync_from AS days, entity, feeds, cursor
       FROM connections AS c JOIN connection_cursors ON connection_id = id ORDER BY provider`,
    );
    const shared = { config: {}, sealed: true, time_zone: 'Europe/Berlin', sync_every_seconds: 120 };
    const read = { due: true, days: 396, entity: 'things', cursor: null };
    expect(rows).toEqual([
      { provider: 'demo_ads', label: 'demo_ads (made-up figures)', feeds: 'ads', ...shared, ...read },
      { provider: 'demo_shop', label: 'demo_shop (made-up figures)', feeds: 'revenue', ...shared, ...read },
    ]);
  });

  test('has no connection where there are no demo providers', async () => {
    await seed({ accounts: [] });
    expect(await connections()).toEqual([]);
  });

  test('has a user per role whose token is known by its SHA-256 only', async () => {
    await seed();
    const { rows } = await database.db.query<{ role: string; hash: string }>(
      `SELECT k.role::text AS role, encode(k.token_hash, 'hex') AS hash
       FROM api_keys AS k JOIN memberships AS m USING (organization_id, user_id, role) ORDER BY 1`,
    );
    const hashes = Object.entries(tokens).map(([role, token]) => ({
      role,
      hash: createHash('sha256').update(token).digest('hex'),
    }));
    expect(rows.toSorted((a, b) => a.role.localeCompare(b.role))).toEqual(hashes);
    expect((await everything()).join()).not.toContain('mr_admin_1');
  });

  test('does not change when it is seeded twice, also at the same time', async () => {
    await Promise.all([1, 2].map(() => seed()));
    const before = await everything();
    await seed();
    expect(await everything()).toEqual(before);
    expect(await connections()).toHaveLength(2);
  });

  test('leaves alone what was paused, disconnected or erased', async () => {
    await seed();
    const [ads, shop] = await connections();
    if (!ads || !shop) throw new Error('expected two connections');
    await pauseConnection(database.db, shop.organizationId, shop.id);
    await disconnectConnection(database.db, ads.organizationId, ads.id, false);
    const before = await everything();
    await seed();
    expect(await everything()).toEqual(before);
    await database.db.query('DELETE FROM connections WHERE id = $1', [ads.id]);
    await seed();
    expect(await connections()).toEqual([shop]);
  });

  test('takes a new token, and credentials under a new secret, in place of the old ones', async () => {
    await seed();
    await seed({ tokens: { ...tokens, viewer: 'mr_viewer_2' }, encrypted: () => 'sealed anew' });
    const { rows } = await database.db.query<{ hash: string }>(
      `SELECT encode(token_hash, 'hex') AS hash FROM api_keys WHERE role = 'viewer'`,
    );
    expect(rows).toEqual([{ hash: createHash('sha256').update('mr_viewer_2').digest('hex') }]);
    const sealed = await database.db.query('SELECT DISTINCT credentials FROM connections');
    expect(sealed.rows).toEqual([{ credentials: 'sealed anew' }]);
  });
});

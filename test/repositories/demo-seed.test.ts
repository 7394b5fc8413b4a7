import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seedDemo } from '../../src/repositories/demo-seed.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

const tokens = { admin: 'mr_admin_1', member: 'mr_member_1', viewer: 'mr_viewer_1' };
const at = (now: string) => ({ now: () => new Date(now) });
const noon = at('2026-06-15T12:00:00Z');

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.close());

/** All that the seed wrote, row by row, as text. */
async function everything(): Promise<string[]> {
  const tables = ['organizations', 'users', 'memberships', 'api_keys', 'orders'];
  const parts = tables.map(
    (table) => `SELECT '${table} ' || row_to_json(t)::text AS line FROM ${table} AS t`,
  );
  const { rows } = await database.db.query<{ line: string }>(`${parts.join(' UNION ALL ')} ORDER BY line`);
  return rows.map((row) => row.line);
}

async function ordersPerDay(): Promise<Map<string, number>> {
  const { rows } = await database.db.query<{ day: string; orders: number }>(
    `SELECT to_char(placed_at AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD') AS day, count(*)::int AS orders
     FROM orders GROUP BY 1 ORDER BY 1`,
  );
  return new Map(rows.map((row) => [row.day, row.orders]));
}

describe('the demo', () => {
  test('has some hundred orders, spread over the 60 days before now, some of them refunded', async () => {
    const { ordersAdded } = await seedDemo(database.db, { clock: noon, tokens });
    const days = await ordersPerDay();
    expect(ordersAdded).toBeGreaterThan(300);
    expect([...days.values()].reduce((sum, orders) => sum + orders)).toBe(ordersAdded);
    expect([...days.keys()].slice(0, 1)).toEqual(['2026-04-17']);
    expect(days.size).toBeGreaterThanOrEqual(59);
    const { rows } = await database.db.query<{ refunded: number; wrong: number }>(
      `SELECT count(*) FILTER (WHERE refunded > 0)::int AS refunded,
              count(*) FILTER (WHERE refunded > gross OR gross <= 0 OR placed_at > '2026-06-15T12:00:00Z')::int AS wrong
       FROM orders`,
    );
    expect(rows[0]?.refunded).toBeGreaterThan(10);
    expect(rows[0]?.wrong).toBe(0);
  });

  test('has a user per role whose token is known by its SHA-256 only', async () => {
    await seedDemo(database.db, { clock: noon, tokens });
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
    await Promise.all([1, 2].map(() => seedDemo(database.db, { clock: noon, tokens })));
    const before = await everything();
    expect(await seedDemo(database.db, { clock: noon, tokens })).toMatchObject({ ordersAdded: 0 });
    expect(await everything()).toEqual(before);
  });

  test('only gets the orders of the days since when it starts again later', async () => {
    await seedDemo(database.db, { clock: noon, tokens });
    const before = await everything();
    const { ordersAdded } = await seedDemo(database.db, { clock: at('2026-06-18T20:00:00Z'), tokens });
    const after = await everything();
    expect(after.filter((line) => !before.includes(line))).toHaveLength(ordersAdded);
    expect(before.filter((line) => !after.includes(line))).toEqual([]);
    expect([...(await ordersPerDay()).keys()].slice(-3)).toEqual(['2026-06-16', '2026-06-17', '2026-06-18']);
  });

  test('takes a new token in place of the old one', async () => {
    await seedDemo(database.db, { clock: noon, tokens });
    await seedDemo(database.db, { clock: noon, tokens: { ...tokens, viewer: 'mr_viewer_2' } });
    const { rows } = await database.db.query<{ hash: string }>(
      `SELECT encode(token_hash, 'hex') AS hash FROM api_keys WHERE role = 'viewer'`,
    );
    expect(rows).toEqual([{ hash: createHash('sha256').update('mr_viewer_2').digest('hex') }]);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPanels, panelRegistry } from '../../src/panels/index.ts';
import { seedDemo } from '../../src/repositories/demo-seed.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization } from '../support/organization.ts';
import { fakeClock, period } from './support.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const clock = fakeClock();
const panels = () => createPanels({ db: database.db, clock, log: silentLog });

test('an organization that never had an order is NOT_CONNECTED', async () => {
  const organization = await createOrganization(database.db);
  expect(await panels().read('revenue', organization, period)).toMatchObject({
    state: 'NOT_CONNECTED',
    values: null,
    sources: [],
  });
});

test('orders make revenue READY, as of now, with a source for where they come from', async () => {
  const { organizationId: id } = await seedDemo(database.db, {
    clock,
    tokens: { admin: 'a', member: 'm', viewer: 'v' },
  });
  const organization = { id, timeZone: 'Europe/Berlin', currency: 'EUR' };
  const reading = await panels().read('revenue', organization, period);
  expect(reading).toMatchObject({ state: 'READY', asOf: clock.now(), failure: null });
  expect(reading.sources).toEqual([
    { label: 'Demo orders', state: 'READY', asOf: clock.now(), failure: null, included: true },
  ]);
  const { rows } = await database.db.query<{ orders: number; net: string }>(
    `SELECT count(*)::int AS orders, sum(gross - refunded)::numeric(20, 2)::text AS net FROM orders
     WHERE organization_id = $1 AND placed_at >= '2026-05-31T22:00:00Z' AND placed_at < '2026-06-02T22:00:00Z'`,
    [id],
  );
  expect(reading.values?.orders).toBe(rows[0]?.orders);
  expect(reading.values?.net).toEqual([{ amount: rows[0]?.net, currency: 'EUR' }]);
});

test('orders outside the period leave zeros, not NOT_CONNECTED', async () => {
  const organization = await createOrganization(database.db, { currency: 'JPY' });
  await database.db.query(
    `INSERT INTO orders (id, organization_id, source, external_id, placed_at, currency, gross)
     VALUES (gen_random_uuid(), $1, 'manual', '1', '2020-01-01', 'JPY', 500)`,
    [organization.id],
  );
  expect(await panels().read('revenue', organization, period)).toMatchObject({
    state: 'READY',
    values: { net: [{ amount: '0', currency: 'JPY' }], orders: 0 },
  });
});

test('every panel has 2 s', () => {
  expect(new Set(Object.values(panelRegistry).map((panel) => panel.deadlineMs))).toEqual(new Set([2_000]));
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivityFilter } from '../../src/domain/activity.ts';
import { countActivities, readActivityPage } from '../../src/repositories/activities.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';
import { planOf } from '../support/plan.ts';

let database: TestDatabase;
let organizationId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  organizationId = (await createOrganization(database.db)).id;
  const other = await createOrganization(database.db);
  await database.db.query(
    `INSERT INTO activities (id, organization_id, actor, action, is_audit, object_type, object_id, succeeded, summary)
     SELECT overlay(overlay(lpad(to_hex(n * 1000), 12, '0') || left(md5(n::text || o.id), 20) placing '7' from 13) placing '8' from 17)::uuid,
            o.id, 'api:' || n % 500, 'action-' || n % 400, n % 2 = 0, CASE n % 400 WHEN 0 THEN 'endpoint' ELSE 'job' END, 'job_' || n % 5000, n % 9 <> 0, 'x'
     FROM generate_series(1, 20000) AS n, unnest($1::uuid[]) AS o (id)`,
    [[organizationId, other.id]],
  );
  await database.db.query('ANALYZE activities');
}, 60_000);
afterAll(() => database.close());

const all: ActivityFilter = {
  actor: null,
  actions: null,
  objectType: null,
  objectId: null,
  after: null,
  before: null,
  isAudit: null,
  succeeded: null,
};

test.each<[string, Partial<ActivityFilter>, string]>([
  ['an actor', { actor: 'api:7' }, 'activities_organization_id_actor_id_idx'],
  ['actions', { actions: ['action-1', 'action-2'] }, 'activities_organization_id_action_id_idx'],
  ['an object', { objectId: 'job_3', objectType: 'job' }, 'activities_organization_id_object_id_id_idx'],
  ['a type of objects', { objectType: 'endpoint' }, 'activities_organization_id_object_type_id_idx'],
  ['time', { after: new Date(1_000), before: new Date(2_000_000) }, 'activities_'],
  ['what succeeded', { succeeded: false }, 'activities_'],
  ['what the server noted', { isAudit: true }, 'activities_'],
  ['nothing', {}, 'activities_'],
])('a page by %s is read by an index, and so is its number', async (_name, narrow, index) => {
  const filter = { ...all, ...narrow };
  const page = await planOf(database.db, (sql) =>
    readActivityPage(sql, organizationId, filter, { limit: 51, before: null }),
  );
  expect(page).toContain(index);
  expect(page).not.toContain('Seq Scan');
  const count = await planOf(database.db, (sql) => countActivities(sql, organizationId, filter, 100));
  expect(count).not.toContain('Seq Scan on activities');
});

test('a number stops at its limit', async () => {
  expect(await countActivities(database.db, organizationId, all, 10_001)).toBe(10_001);
  expect(await countActivities(database.db, organizationId, { ...all, actor: 'api:7' }, 10_001)).toBe(40);
});

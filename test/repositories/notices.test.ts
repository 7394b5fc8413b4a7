import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { pruneNotifications, takeUntoldJobs } from '../../src/repositories/notices.ts';
import { pruneWebhookDeliveries } from '../../src/repositories/webhook-deliveries.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';

let database: TestDatabase;
let organizationId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  organizationId = (await createOrganization(database.db)).id;
});
afterAll(() => database.close());

const seedJobs = (count: number, status: string, notified = false) =>
  database.db.query(
    `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts,
                       completed_at, notified_at)
     SELECT gen_random_uuid(), $1, 'x', 1, $2::job_status, 'default', '{}', '\\x00', 'api:test', 1, now(),
            CASE WHEN $3 THEN now() END FROM generate_series(1, $4::int)`,
    [organizationId, status, notified, count],
  );

/** Names of the indexes and of the tables read whole, of a statement's plan. */
async function planOf(sql: string, values: readonly unknown[]): Promise<string> {
  const { rows } = await database.db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('jobs that nobody was told of', () => {
  it('are taken once, by two at the same time too, and stay when their transaction fails', async () => {
    await seedJobs(50, 'failed');
    await seedJobs(5, 'completed');
    const failing = database.db.transaction(async (tx) => {
      expect(await takeUntoldJobs(tx, 100)).toHaveLength(50);
      throw new Error('dies');
    });
    await expect(failing).rejects.toThrow('dies');
    const [one = [], two = []] = await Promise.all(
      [1, 2].map(() => database.db.transaction((tx) => takeUntoldJobs(tx, 100))),
    );
    expect(new Set([...one, ...two].map(({ id }) => id)).size).toBe(50);
    expect(one.length + two.length).toBe(50);
  });

  it('are found by an index that holds nothing else', async () => {
    await seedJobs(20_000, 'completed');
    await seedJobs(2_000, 'failed', true);
    await database.db.query('ANALYZE jobs');
    const plan = await planOf(
      `SELECT id FROM jobs WHERE notified_at IS NULL AND NOT internal AND parent_id IS NULL
         AND status IN ('failed', 'completed_with_warnings') ORDER BY completed_at, id LIMIT 100`,
      [],
    );
    expect(plan).toContain('jobs_to_notify');
    expect(plan).not.toContain('Seq Scan');
    const { rows } = await database.db.query<{ size: string }>(
      `SELECT pg_relation_size('jobs_to_notify')::text AS size`,
    );
    expect(Number(rows[0]?.size)).toBeLessThan(64 * 1024);
  });
});

describe('a recipient’s notices', () => {
  it('are read by indexes: the list, what is unread, and what came lately', async () => {
    const { db } = database;
    await db.query(
      `INSERT INTO notifications (id, organization_id, recipient_id, type, digest_kinds, closes_at, sent_at, title, body, in_app, email,
                                  read_at, created_at)
       SELECT gen_random_uuid(), o.id, o.id, 'digest', '{}', now(), now(), 't', 'b', true, false,
              CASE WHEN n % 100 > 0 THEN now() END, now() - n * interval '1 minute'
       FROM organizations o, generate_series(1, 20000) AS n`,
    );
    await db.query('ANALYZE notifications');
    const mine = [organizationId, organizationId];
    const where = 'organization_id = $1 AND recipient_id IN ($2) AND in_app';
    expect(
      await planOf(`SELECT id FROM notifications WHERE ${where} ORDER BY id DESC LIMIT 51`, mine),
    ).toMatch(/Index.*notifications_/);
    expect(
      await planOf(
        `SELECT id FROM notifications WHERE ${where} AND read_at IS NULL ORDER BY id DESC LIMIT 51`,
        mine,
      ),
    ).toMatch(/Index.*notifications_/);
    expect(
      await planOf(
        `SELECT 1 FROM notifications WHERE organization_id = $1 AND recipient_id = $2 AND type <> 'digest'
           AND created_at > now() - interval '10 minutes' LIMIT 20`,
        mine,
      ),
    ).toMatch(/notifications_organization_id_recipient_id_created_at_idx|notifications_created_at_idx/);
  });

  it('are forgotten after 30 days, in batches', async () => {
    const { db } = database;
    await db.query('DELETE FROM notifications');
    await db.query(
      `INSERT INTO notifications (id, organization_id, recipient_id, type, digest_kinds, closes_at, sent_at, title, body, in_app, email, created_at)
       SELECT gen_random_uuid(), $1, $1, 'digest', '{}', now(), now(), 't', 'b', true, false, now() - n * interval '1 day'
       FROM generate_series(25, 34) AS n`,
      [organizationId],
    );
    expect(await pruneNotifications(db, 3)).toBe(3);
    expect(await pruneNotifications(db, 3)).toBeLessThan(3);
    const { rows } = await db.query('SELECT 1 FROM notifications');
    expect(rows).toHaveLength(5);
  });
});

it('ended webhook deliveries are forgotten after 30 days, and what is under way is not', async () => {
  const { db } = database;
  const endpoint = newUuid();
  await db.query(
    `INSERT INTO webhook_endpoints (id, organization_id, url, description, event_types, secret, created_by)
     VALUES ($1, $2, 'https://x.example', '', '{}', 's', 'test')`,
    [endpoint, organizationId],
  );
  await db.query(
    `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, payload, status, carrier_job_id, created_at)
     SELECT gen_random_uuid(), $1, $2, gen_random_uuid(), 'test', '{}', status, gen_random_uuid(), now() - age * interval '1 day'
     FROM unnest(ARRAY['failed', 'pending']::webhook_delivery_status[]) AS status, unnest(ARRAY[29, 31]) AS age`,
    [organizationId, endpoint],
  );
  expect(await pruneWebhookDeliveries(db, 100)).toBe(1);
  const { rows } = await db.query('SELECT status::text FROM webhook_deliveries ORDER BY 1');
  expect(rows).toEqual([{ status: 'failed' }, { status: 'pending' }, { status: 'pending' }]);
});

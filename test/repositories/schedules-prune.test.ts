import { expect, test } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { pruneDeletedSchedules } from '../../src/repositories/schedules.ts';
import { createTestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';

test('a deleted schedule without jobs is forgotten, one with jobs is not', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const organization = await createOrganization(db);
  const insert = async (): Promise<string> => {
    const id = newUuid();
    await db.query(
      `INSERT INTO schedules (id, organization_id, name, kind, version, input, every_seconds, created_by, deleted_at)
       VALUES ($1, $2, 'deleted', 'product_import', 1, '{}', 60, 'api:test', now())`,
      [id, organization.id],
    );
    return id;
  };
  const [bare, used] = [await insert(), await insert()];
  await db.query(
    `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts, schedule_id)
     VALUES (gen_random_uuid(), $1, 'product_import', 1, 'default', '{}', '\\x00', 'schedule:deleted', 1, $2)`,
    [organization.id, used],
  );
  await pruneDeletedSchedules(db, 1_000);
  const { rows } = await db.query('SELECT id FROM schedules WHERE id = ANY($1)', [[bare, used]]);
  expect(rows).toEqual([{ id: used }]);
});

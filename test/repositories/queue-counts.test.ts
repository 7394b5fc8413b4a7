import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countQueues } from '../../src/repositories/queue-counts.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';
import { planOf } from '../support/plan.ts';

describe('the counts of a queue', () => {
  let database: TestDatabase;
  let organizationId: string;
  let otherId: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    organizationId = (await createOrganization(database.db)).id;
    otherId = (await createOrganization(database.db)).id;
    await fill(organizationId, 40, `'pending'`, {
      due_at: `now() - interval '1 minute'`,
      priority: '1 + n % 3',
    });
    await fill(organizationId, 30, `'pending'`, {
      due_at: `now() + interval '1 hour'`,
      priority: '1 + n % 3',
    });
    await fill(organizationId, 20, `'pending'`, { delivered_at: 'now()' });
    await fill(organizationId, 10, `'running'`);
    await fill(organizationId, 20_000, `'completed'`, { completed_at: 'now()' });
    await fill(otherId, 60_000, `'pending'`);
    await database.db.query('ANALYZE jobs');
  });
  afterAll(() => database.close());

  async function fill(
    organization: string,
    count: number,
    status: string,
    columns: Record<string, string> = {},
  ) {
    const { due_at = 'now()', priority = '2', delivered_at = 'NULL', completed_at = 'NULL' } = columns;
    await database.db.query(
      `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts,
                         status, due_at, priority, delivered_at, completed_at)
       SELECT gen_random_uuid(), $1, 'k', 1, 'default', '{}', '\\x00', 'x', 3,
              ${status}::job_status, ${due_at}, ${priority}, ${delivered_at}, ${completed_at} FROM generate_series(1, ${count}) n`,
      [organization],
    );
  }
  const count = (organization: string, max = 10_001) =>
    countQueues(database.db, organization, ['default', 'scheduled'], max);

  it('tell what is due, delayed, delivered and running, of one organization', async () => {
    const none = { due: 0, delayed: 0, delivered: 0, running: 0 };
    expect(await count(organizationId)).toEqual(
      new Map([
        ['default', { due: 40, delayed: 30, delivered: 20, running: 10 }],
        ['scheduled', none],
      ]),
    );
    expect((await count(otherId)).get('default')).toEqual({ ...none, due: 10_001 });
  });

  it('stop at their bound', async () => {
    expect((await count(otherId, 100)).get('default')).toMatchObject({ due: 100 });
    expect((await count(organizationId, 5)).get('default')).toEqual({
      due: 5,
      delayed: 5,
      delivered: 5,
      running: 5,
    });
  });

  it.each(['little', 'much'])(
    'are read by indexes that hold live jobs, where %s waits and also for an empty queue',
    async (waits) => {
      const id = waits === 'little' ? organizationId : otherId;
      const plan = await planOf(database.db, (sql) => countQueues(sql, id, ['default', 'scheduled'], 10_001));
      expect(plan).toContain('jobs_undelivered');
      expect(plan).toContain('jobs_delivered');
      expect(plan).toMatch(/jobs_organization_id_status_id_idx|jobs_running/);
      expect(plan).not.toContain('Seq Scan on jobs');
    },
  );
});

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { issueDueDeliveries } from '../../src/repositories/job-deliveries.ts';
import type { Sql } from '../../src/repositories/db.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';

describe('issuing deliveries', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
    const own = database;
    onTestFinished(() => own.close());
    await run(`INSERT INTO queues (name) VALUES ('default')`);
    await run(
      `INSERT INTO workers (id, name, kinds, queues) VALUES (gen_random_uuid(), 'w', '{"known": 2}', '{default}')`,
    );
  });

  const run = (sql: string, ...values: unknown[]) => database.db.query<Record<string, unknown>>(sql, values);
  /** Jobs of a new organization, older ones first. */
  const fill = async (count: number, columns: Readonly<Record<string, string>> = {}): Promise<string> => {
    const { id } = await createOrganization(database.db);
    const {
      kind = `'known'`,
      version = '1',
      priority = '2',
      due_at = `now() - interval '1 s' * (${count} - n)`,
      status = `'pending'`,
      completed_at = 'NULL',
    } = columns;
    await run(
      `INSERT INTO jobs (id, organization_id, queue, input, input_hash, triggered_by, max_attempts, kind, version, priority, due_at, status, completed_at)
       SELECT gen_random_uuid(), $1, 'default', '{}', '\\x00', 'x', 3, ${kind}, ${version}, ${priority}, ${due_at}, ${status}, ${completed_at}
       FROM generate_series(1, ${count}) n`,
      id,
    );
    return id;
  };
  const issue = (window: number, limit = 1_000) => issueDueDeliveries(database.db, 'default', window, limit);

  it('gives no organization more than its window, and interleaves them', async () => {
    await fill(10);
    await fill(10);
    const issued = await issue(3);
    expect(issued.map(({ place }) => place).toSorted()).toEqual([1, 1, 2, 2, 3, 3]);
    expect(await issue(3)).toEqual([]);
    await run(`UPDATE jobs SET status = 'running' WHERE id = $1`, issued[0]?.jobId);
    expect(await issue(3)).toMatchObject([{ place: 3, delivery: 1 }]);
  });

  it('takes HIGH before NORMAL before LOW, and of equals the one that has waited longest', async () => {
    await fill(6, { priority: '1 + n % 3' });
    const [first, second] = await issue(2);
    const { rows } = await run('SELECT priority FROM jobs WHERE id = ANY($1)', [first?.jobId, second?.jobId]);
    expect(rows).toEqual([{ priority: 1 }, { priority: 1 }]);
  });

  it.each([
    ['is not due', { due_at: `now() + interval '1 hour'` }],
    ['is of a kind that no live worker knows', { kind: `'unknown'` }],
    ['is of a version that no live worker knows', { version: '3' }],
  ])('leaves a job alone that %s', async (_what, columns) => {
    await fill(3, columns);
    expect(await issue(10)).toEqual([]);
  });

  it('gives nothing of a queue that is paused', async () => {
    await fill(3);
    await run('UPDATE queues SET paused_at = now()');
    expect(await issue(10)).toEqual([]);
  });

  it('delivers what is urgent at once, at the head, however many less urgent ones fill the window', async () => {
    const organization = await fill(500);
    expect(await issue(100)).toHaveLength(100);
    await run(
      `UPDATE jobs SET priority = 1 WHERE id IN (SELECT id FROM jobs WHERE organization_id = $1 AND delivered_at IS NULL LIMIT 2)`,
      organization,
    );
    expect((await issue(100)).map(({ place }) => place).toSorted()).toEqual([1, 2]);
  });

  it('always keeps a twentieth of the window for each priority: LOW waits, and never starves', async () => {
    await fill(1_000, { priority: 'CASE WHEN n % 2 = 0 THEN 1 ELSE 3 END' });
    await issue(100);
    // Whatever runs is replaced at once by something urgent.
    let low = 0;
    for (let turn = 0; turn < 40; turn += 1) {
      const { rows } = await run(
        `UPDATE jobs SET status = 'running' WHERE id = (
           SELECT id FROM jobs WHERE delivered_at IS NOT NULL AND status = 'pending' AND priority = 1 LIMIT 1) RETURNING priority`,
      );
      expect(rows).toHaveLength(1);
      await issue(100);
      const { rows: waiting } = await run(
        `SELECT count(*)::int AS count FROM jobs WHERE status = 'pending' AND delivered_at IS NOT NULL AND priority = 3`,
      );
      low = Number(waiting[0]?.['count']);
      expect(low).toBeGreaterThanOrEqual(5);
    }
    expect(low).toBeLessThanOrEqual(100);
  });

  it('issues each job once, however many dispatchers ask at once', async () => {
    await fill(200);
    const issued = (await Promise.all(Array.from({ length: 8 }, () => issue(100, 40)))).flat();
    expect(new Set(issued.map(({ jobId }) => jobId)).size).toBe(issued.length);
  });

  it('reads what waits and what was delivered by their indexes, not all jobs', async () => {
    for (let organization = 0; organization < 5; organization += 1) {
      await fill(4_000, { status: `'completed'`, completed_at: 'now()' });
      await fill(1_000);
    }
    await issue(100);
    await run('ANALYZE jobs');
    const plan = await planOf((sql) => issueDueDeliveries(sql, 'default', 100, 500));
    expect(plan).toContain('jobs_undelivered');
    expect(plan).toContain('jobs_delivered');
    // Each reading has an alias of its own; the update of what was picked may go either way on a small table.
    expect(plan).not.toContain('Seq Scan on jobs jobs_');
  });

  /** The plan of the one statement that a repository function runs. */
  async function planOf(call: (sql: Sql) => Promise<unknown>): Promise<string> {
    let plan = '';
    await call({
      async query(text, values) {
        const { rows } = await database.db.query<Record<string, unknown>>(`EXPLAIN ${text}`, values);
        plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
        return database.db.query(text, values);
      },
    });
    return plan;
  }
});

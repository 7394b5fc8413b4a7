import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database, type Sql } from '../../src/repositories/db.ts';
import { prepared } from '../../src/repositories/prepared.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startEndingPostgres } from '../support/ending-postgres.ts';
import { silentLog } from '../support/log.ts';

const open = (url: string): Database =>
  openDatabase({
    url,
    applicationName: 'test',
    connectionsMax: 1,
    statementTimeoutMs: 30_000,
    preparedTimeoutMs: 200,
    log: silentLog,
  });

describe('a database', () => {
  it('whose session ends in the packet that made it ready fails the transaction, and not the process', async () => {
    const server = await startEndingPostgres();
    const db = open(server.url);
    // An error that nobody listens for would be uncaught and fail the test run.
    await expect(db.transaction((tx) => tx.query('SELECT 1'))).rejects.toThrow();
    await db.close();
    server.close();
  });
});

describe('a prepared statement that is not answered', () => {
  const NEVER = prepared('never', 'SELECT pg_sleep(20)');
  const never = (sql: Sql) => sql.query(NEVER);
  let database: TestDatabase;
  let db: Database;
  beforeAll(async () => {
    database = await createTestDatabase();
    db = open(database.url);
  });
  afterAll(async () => {
    await db.close();
    await database.close();
  });

  it.each([
    { where: 'alone', call: () => never(db) },
    { where: 'in a transaction', call: () => db.transaction(never) },
  ])('gives its connection up, long before a long statement would be late: $where', async ({ call }) => {
    await expect(call()).rejects.toThrow('Query read timeout');
    // The only connection of the pool is free again.
    await expect(db.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
  });
});

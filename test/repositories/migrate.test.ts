import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnoseHistory, diffDatabaseToSchema } from '../../prisma/schema-engine.ts';
import { migrate, MIGRATIONS_FOLDER, readMigrations } from '../../src/repositories/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';

describe('migrations', () => {
  let database: TestDatabase;
  let folder: string;

  beforeEach(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'millrace-migrations-'));
  });
  afterEach(async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** An empty database: the template's is migrated already. */
  async function emptied(): Promise<void> {
    await database.db.query('DROP SCHEMA public CASCADE');
    await database.db.query('DROP SCHEMA bullmq CASCADE');
    await database.db.query('CREATE SCHEMA public');
  }

  async function add(name: string, sql: string): Promise<void> {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'migration.sql'), sql);
  }

  const run = (bullmq = false): Promise<readonly string[]> =>
    migrate({ url: database.url, bullmq, log: silentLog, folder });

  it('give the schema that schema.prisma says', async () => {
    const path = fileURLToPath(new URL('../../prisma/schema.prisma', import.meta.url));
    const schema = { path, content: await readFile(path, 'utf8') };
    expect(await diffDatabaseToSchema(database.url, schema)).toBe('');
  });

  it('are told apart from a schema that says more', async () => {
    const path = fileURLToPath(new URL('../../prisma/schema.prisma', import.meta.url));
    const content = `${await readFile(path, 'utf8')}\nmodel Extra {\n  id String @id\n}\n`;
    expect(await diffDatabaseToSchema(database.url, { path, content })).toContain('CREATE TABLE "Extra"');
  });

  it('run once, in order, and a second call applies nothing', async () => {
    await emptied();
    await add('20260102000000_second', 'ALTER TABLE things ADD COLUMN name text');
    await add('20260101000000_first', 'CREATE TABLE things (id int)');
    expect(await run()).toEqual(['20260101000000_first', '20260102000000_second']);
    expect(await run()).toEqual([]);
  });

  it('run once when many processes start together', async () => {
    await emptied();
    await add('20260101000000_first', 'CREATE TABLE things (id int); INSERT INTO things VALUES (1)');
    const applied = await Promise.all(Array.from({ length: 8 }, () => run(true)));
    expect(applied.flat()).toEqual(['20260101000000_first']);
    const { rows } = await database.db.query('SELECT id FROM things');
    expect(rows).toHaveLength(1);
  });

  it('leave nothing of a migration that fails, and the next call tries it again', async () => {
    await emptied();
    await add('20260101000000_first', 'CREATE TABLE things (id int)');
    await add('20260102000000_second', 'CREATE TABLE others (id int); SELECT 1/0');
    await expect(run()).rejects.toThrow('division by zero');
    const { rows } = await database.db.query(
      "SELECT to_regclass('things') AS first, to_regclass('others') AS second",
    );
    expect(rows).toEqual([{ first: 'things', second: null }]);

    await add('20260102000000_second', 'CREATE TABLE others (id int)');
    expect(await run()).toEqual(['20260102000000_second']);
  });

  it('refuse a file that was changed after it had been applied', async () => {
    await emptied();
    await add('20260101000000_first', 'CREATE TABLE things (id int)');
    await run();
    await add('20260101000000_first', 'CREATE TABLE things (id bigint)');
    await expect(run()).rejects.toThrow('20260101000000_first was changed after it had been applied');
  });

  it('refuse a database that a newer version has migrated', async () => {
    await emptied();
    await add('20260101000000_first', 'CREATE TABLE things (id int)');
    await run();
    await rm(join(folder, '20260101000000_first'), { recursive: true });
    await expect(run()).rejects.toThrow('does not know');
  });

  it('make the schema of BullMQ where Postgres is the broker, and only there', async () => {
    await emptied();
    await cp(MIGRATIONS_FOLDER, folder, { recursive: true });
    const hasBullmq = async (): Promise<unknown> =>
      (await database.db.query("SELECT to_regclass('bullmq.migration') IS NOT NULL AS made")).rows[0];
    await run();
    expect(await hasBullmq()).toEqual({ made: false });
    await run(true);
    expect(await hasBullmq()).toEqual({ made: true });
  });

  it("leave a history that Prisma's own engine takes for up to date", async () => {
    const migrations = await readMigrations(MIGRATIONS_FOLDER);
    expect(await diagnoseHistory(database.url, MIGRATIONS_FOLDER, migrations)).toEqual({
      history: null,
      editedMigrationNames: [],
      failedMigrationNames: [],
      hasMigrationsTable: true,
    });
  });
});

import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runMigrations } from 'bullmq';
import pg from 'pg';
import type { Log } from '../lib/log.ts';
import { StartError } from '../lib/entry.ts';

/** One folder of prisma/migrations. */
export interface Migration {
  /** "20261122040000_init": sorts by the time it was made */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file in lower-case hex, as Prisma stores it */
  readonly checksum: string;
}

export interface MigrateOptions {
  /** A direct connection, not a transaction pooler: the lock belongs to the session */
  readonly url: string;
  /** Also brings BullMQ's own schema up to date: needed where the broker is Postgres */
  readonly bullmq: boolean;
  readonly log: Log;
  /** Default: those of this package */
  readonly folder?: string;
}

/** The database and the files tell different histories; the message says where. */
export class MigrationError extends StartError {
  override readonly name = 'MigrationError';
}

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** The advisory lock that Prisma's own `migrate deploy` takes (schema engine, ADVISORY_LOCK_ID). */
const PRISMA_ADVISORY_LOCK = 72_707_369;
const CONNECT_TIMEOUT_MS = 10_000;
/** Others migrating, then our own longest statement. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;

/**
 * Applies what is new, in order, each migration in a transaction of its own, and notes it in Prisma's table: who has
 * Prisma's CLI can go on with `prisma migrate deploy`. Safe to call again and by several processes at once.
 * @returns names of the migrations that this call applied
 * @throws MigrationError when an applied file was changed or is missing; the database's own error when SQL fails
 */
export async function migrate({ url, bullmq, log, folder }: MigrateOptions): Promise<readonly string[]> {
  const migrations = await readMigrations(folder ?? MIGRATIONS_FOLDER);
  const client = new pg.Client({
    connectionString: url,
    application_name: 'millrace-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  client.on('error', (error) => log.warn({ err: error }, 'the connection for migrations broke'));
  try {
    await client.connect();
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_ADVISORY_LOCK]);
    const applied = await applyNew(client, migrations, log);
    if (bullmq) await runMigrations(client);
    return applied;
  } finally {
    // Ends the session, and the lock with it.
    await client.end().catch(() => undefined);
  }
}

/** All migrations of a folder, the oldest first. */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function applyNew(
  client: pg.Client,
  migrations: readonly Migration[],
  log: Log,
): Promise<readonly string[]> {
  await client.query(PRISMA_TABLE);
  const history = await readHistory(client);
  assertSameHistory(history, migrations);
  const fresh = migrations.filter((migration) => !history.has(migration.name));
  for (const migration of fresh) {
    log.info({ migration: migration.name }, 'applying a migration');
    await apply(client, migration);
  }
  return fresh.map((migration) => migration.name);
}

/** As Prisma makes it: its schema engine refuses any other shape. */
const PRISMA_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
  )`;

interface HistoryRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

async function readHistory(client: pg.Client): Promise<ReadonlyMap<string, HistoryRow>> {
  const { rows } = await client.query<HistoryRow>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at',
  );
  return new Map(rows.map((row) => [row.migration_name, row]));
}

function assertSameHistory(history: ReadonlyMap<string, HistoryRow>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of history.values()) {
    const migration = known.get(row.migration_name);
    if (!migration) {
      throw new MigrationError(
        `The database has the migration ${row.migration_name}, which this version of Millrace does not know; ` +
          'start the newer version',
      );
    }
    if (!row.finished_at) {
      throw new MigrationError(
        `The migration ${row.migration_name} failed half-way under Prisma's CLI; ` +
          'mend the database and run `prisma migrate resolve`',
      );
    }
    if (row.checksum !== migration.checksum) {
      throw new MigrationError(
        `The migration ${row.migration_name} was changed after it had been applied ` +
          `(expected checksum ${row.checksum}, got ${migration.checksum}); restore the file and add a new migration instead`,
      );
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(migration.sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

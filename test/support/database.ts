import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { openDatabase, type Database } from '../../src/repositories/db.ts';
import { silentLog } from './log.ts';
import { serverUrl, templateDatabase } from './provided.ts';

/** A database of one's own, migrated and empty. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly db: Database;
  /** Ends its sessions, ours and others', and drops it */
  close(): Promise<void>;
}

/** A copy of the migrated template, in about 20 ms; BullMQ's schema is in it too. @param options `empty`: without tables */
export async function createTestDatabase({ empty = false } = {}): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  // FILE_COPY: faster than WAL_LOG for a template of this size on a server without fsync.
  await onServer(
    `CREATE DATABASE ${name} TEMPLATE ${empty ? 'template0' : templateDatabase()} STRATEGY FILE_COPY`,
  );
  const url = withDatabase(serverUrl(), name);
  const db = openDatabase({
    url,
    applicationName: 'millrace-test',
    connectionsMax: 10,
    statementTimeoutMs: 15_000,
    log: silentLog,
  });
  const close = async (): Promise<void> => {
    await db.close();
    await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  };
  return { url, db, close, [Symbol.asyncDispose]: close };
}

/** The same server and account, another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({
    connectionString: serverUrl(),
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

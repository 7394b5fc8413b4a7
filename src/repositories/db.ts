import pg from 'pg';
import { toError } from '../lib/abort.ts';
import type { Log } from '../lib/log.ts';

/** Anything that runs SQL: the pool, or one client inside a transaction. */
export interface Sql {
  query<Row extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

/** A client inside a transaction; COPY streams need the raw client. */
export interface Tx extends Sql {
  readonly client: pg.PoolClient;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in pg_stat_activity; a rescuer ends the sessions of a dead worker by it */
  readonly applicationName: string;
  readonly connectionsMax: number;
  /** No statement runs longer, in ms */
  readonly statementTimeoutMs: number;
  readonly log: Log;
}

/** One pool per process; the API's Prisma shares it. */
export interface Database extends Sql {
  readonly pool: pg.Pool;
  /** Runs `fn` between BEGIN and COMMIT; whatever it throws rolls back and is thrown on. */
  transaction<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    statement_timeout: options.statementTimeoutMs,
    // A statement that the server never answers: the socket is given up a little later.
    query_timeout: options.statementTimeoutMs + 5_000,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  });
  pool.on('error', (error) => options.log.warn({ err: error }, 'an idle database connection broke'));
  // The pool takes its listener off as it hands a client out, before its borrower can put one on: a session that ends
  // in the very packet that made it ready would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    pool,
    query: (text, values) => pool.query(text, values ? [...values] : undefined),
    transaction: (fn) => runTransaction(pool, fn),
    close: () => pool.end(),
  };
}

async function runTransaction<T>(pool: pg.Pool, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Without a listener, a connection that dies between two statements would end the process.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('BEGIN');
    const result = await fn({
      client,
      query: (text, values) => client.query(text, values ? [...values] : undefined),
    });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: unknown) => {
      broken = toError(rollbackError);
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

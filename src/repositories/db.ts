import pg from 'pg';
import { z } from 'zod';
import { toError } from '../lib/abort.ts';
import { EnduringClient } from '../lib/enduring-client.ts';
import type { Log } from '../lib/log.ts';
import { preparedName } from './prepared.ts';

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
  /** An answer to a prepared statement takes no longer, in ms; default: 10,000 */
  readonly preparedTimeoutMs?: number;
  /** False behind a transaction pooler, which hands a session's prepared statements to others; default: true */
  readonly prepares?: boolean;
  readonly log: Log;
}

/** One pool per process; the API's Prisma shares it. */
export interface Database extends Sql {
  readonly pool: pg.Pool;
  /**
   * Runs `fn` between BEGIN and COMMIT; whatever it throws rolls back and is thrown on.
   * @param signal when it fires, the statement or COPY that runs then ends at once, with the signal's reason
   */
  transaction<T>(fn: (tx: Tx) => Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
const PREPARED_TIMEOUT_MS = 10_000;

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    Client: EnduringClient,
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
  const toQuery = queries(options.prepares ?? true, options.preparedTimeoutMs ?? PREPARED_TIMEOUT_MS);
  pool.on('error', (error) => options.log.warn({ err: error }, 'an idle database connection broke'));
  return {
    pool,
    query: (text, values) => pool.query(toQuery(text, values)),
    transaction: (fn, signal) => runTransaction(pool, toQuery, fn, signal),
    close: () => pool.end(),
  };
}

type ToQuery = (text: string, values?: readonly unknown[]) => pg.QueryConfig;

/**
 * Marked statements are short, and a batch of attempts waits for each: when one is not answered, its connection is given
 * up long before the time of a long statement is over.
 */
function queries(prepares: boolean, preparedTimeoutMs: number): ToQuery {
  return (text, values) => {
    const name = preparedName(text);
    const query = values ? { text, values: [...values] } : { text };
    if (name === undefined) return query;
    const limited = { ...query, query_timeout: preparedTimeoutMs };
    return prepares ? { ...limited, name } : limited;
  };
}

async function runTransaction<T>(
  pool: pg.Pool,
  toQuery: ToQuery,
  fn: (tx: Tx) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Without a listener, a connection that dies between two statements would end the process.
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  const onAbort = (): void => {
    broken = toError(signal?.reason);
    endSession(pool, client);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    await client.query('BEGIN');
    const result = await fn({
      client,
      query: (text, values) => client.query(toQuery(text, values)),
    });
    signal?.removeEventListener('abort', onAbort);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    if (signal?.aborted) throw toError(signal.reason);
    // Behind a statement that is not answered, a ROLLBACK would not be either: the session ends with its connection.
    if (isUnanswered(error)) broken = error;
    else
      await client.query('ROLLBACK').catch((rollbackError: unknown) => {
        broken = toError(rollbackError);
      });
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    client.off('error', onError);
    client.release(broken);
  }
}

/** Told by its text alone: https://github.com/brianc/node-postgres/blob/master/packages/pg/lib/client.js */
function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** The number of a connection's server process, which node-pg keeps and its types do not name. */
const session = z.object({ processID: z.int() });

/** Ends a session from outside, whatever it does: a closed socket alone would not end a statement that runs. */
function endSession(pool: pg.Pool, client: pg.PoolClient): void {
  const { processID } = session.parse(client);
  pool.query('SELECT pg_terminate_backend($1)', [processID]).catch(() => undefined);
}

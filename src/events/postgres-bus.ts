import pg from 'pg';
import { sleep, toError } from '../lib/abort.ts';
import { EnduringClient } from '../lib/enduring-client.ts';
import { backoffMs, type BackoffPolicy } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';
import { createAdapter, type BusAdapter } from './adapter.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { Outbox } from './outbox.ts';
import { noTrouble } from './stats.ts';

const CHANNEL = 'millrace_events';
const TIMEOUT_MS = 5_000;
/** A link that died without a word is found out within this and TIMEOUT_MS. */
const KEEPALIVE_MS = 5_000;
const RECONNECT: BackoffPolicy = { baseMs: 100, maxMs: 5_000 };

export interface PostgresBusOptions {
  /** A session connection: LISTEN does not work through a transaction pooler */
  readonly url: string;
  readonly applicationName: string;
  readonly log: Log;
  /** Between two questions whether the link still lives, in ms */
  readonly keepaliveMs?: number;
}

/**
 * LISTEN on one channel by a connection of its own; NOTIFY by another that is opened when first needed. Resolves
 * when it listens, or when the first try failed: it goes on trying, and `connected` tells.
 */
export async function openPostgresBus(options: PostgresBusOptions): Promise<BusAdapter> {
  const stats = noTrouble();
  const dispatch = createDispatch(options.log, stats);
  const publisher = openPublisher(options);
  const outbox = new Outbox({
    send: async (payload) => {
      await publisher.query('SELECT pg_notify($1, $2)', [CHANNEL, payload]);
    },
    log: options.log,
    stats,
  });
  const link = new ListenLink(options, dispatch);
  await link.firstTry;
  const disconnect = async (): Promise<void> => {
    await Promise.all([link.close(), publisher.end()]);
  };
  return createAdapter({ dispatch, outbox, stats, isConnected: () => link.connected, disconnect });
}

function openPublisher({ url, applicationName, log }: PostgresBusOptions): pg.Pool {
  const pool = new pg.Pool({
    Client: EnduringClient,
    connectionString: url,
    application_name: applicationName,
    max: 1,
    connectionTimeoutMillis: TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    statement_timeout: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    // A hint need not survive a crash: the commit does not wait for the disk.
    options: '-c synchronous_commit=off',
    keepAlive: true,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'the connection that publishes events broke'));
  return pool;
}

/** The listening connection, made again for as long as the bus is open. */
class ListenLink {
  readonly #options: PostgresBusOptions;
  readonly #dispatch: Dispatch;
  readonly #closed = new AbortController();
  readonly #running: Promise<void>;
  readonly firstTry: Promise<void>;
  connected = false;
  #failures = 0;

  constructor(options: PostgresBusOptions, dispatch: Dispatch) {
    this.#options = options;
    this.#dispatch = dispatch;
    let tried = (): void => {};
    this.firstTry = new Promise((resolve) => (tried = resolve));
    this.#running = this.#run(tried);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  async #run(tried: () => void): Promise<void> {
    while (!this.#isClosed()) {
      const reason = await this.#listen(tried).catch(toError);
      if (!reason) return;
      this.#failures += 1;
      if (this.#failures === 1) {
        this.#options.log.warn({ err: reason }, 'the event bus has no link to Postgres');
      }
      tried();
      await sleep(backoffMs(RECONNECT, this.#failures), this.#closed.signal);
    }
  }

  #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  #lost(): void {
    if (!this.connected) return;
    this.connected = false;
    this.#dispatch.gap();
  }

  /** One connection from beginning to end. @returns when the bus was closed. @throws why else it ended */
  async #listen(tried: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: this.#options.applicationName,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      keepAlive: true,
    });
    const broken = new AbortController();
    client.on('error', (error) => broken.abort(error));
    client.on('end', () => broken.abort(new Error('the connection ended')));
    client.on('notification', ({ payload }) => this.#dispatch.receive(payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.connected = true;
      this.#failures = 0;
      this.#dispatch.gap();
      tried();
      await this.#keepAlive(client, broken.signal);
    } finally {
      this.#lost();
      await endWithin(client, TIMEOUT_MS);
    }
  }

  async #keepAlive(client: pg.Client, broken: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([broken, this.#closed.signal]);
    for (;;) {
      await sleep(this.#options.keepaliveMs ?? KEEPALIVE_MS, stop);
      if (this.#isClosed()) return;
      broken.throwIfAborted();
      await client.query('SELECT 1');
    }
  }
}

/** A server that does not answer must not hold up the next connection. */
async function endWithin(client: pg.Client, timeoutMs: number): Promise<void> {
  const ended = new AbortController();
  const end = client.end().catch(() => undefined);
  await Promise.race([end.finally(() => ended.abort()), sleep(timeoutMs, ended.signal)]);
}

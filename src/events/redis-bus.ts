import { Redis } from 'ioredis';
import { backoffMs, type BackoffPolicy } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';
import { createAdapter, type BusAdapter } from './adapter.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { Outbox } from './outbox.ts';
import { noTrouble } from './stats.ts';

const TIMEOUT_MS = 5_000;
/** A link that died without a word is found out within this and TIMEOUT_MS. */
const KEEPALIVE_MS = 5_000;
/** Redis takes far more than Postgres: what a busy worker publishes in 5 ms fits into one payload. */
const PAYLOAD_BYTES_MAX = 64 * 1024;
const RECONNECT: BackoffPolicy = { baseMs: 100, maxMs: 5_000 };

export interface RedisBusOptions {
  readonly url: string;
  /** Keeps several installations apart in one Redis */
  readonly prefix: string;
  readonly applicationName: string;
  readonly log: Log;
  /** Between two questions whether the link still lives, in ms */
  readonly keepaliveMs?: number;
}

/**
 * SUBSCRIBE to one channel by a connection of its own, PUBLISH by another. Resolves when Redis has acknowledged the
 * subscription, or when the first try failed: it goes on trying, and `connected` tells.
 */
export async function openRedisBus(options: RedisBusOptions): Promise<BusAdapter> {
  const channel = `${options.prefix}:events`;
  const stats = noTrouble();
  const dispatch = createDispatch(options.log, stats);
  const publisher = connect(options, 'publishes');
  const outbox = new Outbox({
    send: async (payload) => {
      await publisher.publish(channel, payload);
    },
    payloadBytesMax: PAYLOAD_BYTES_MAX,
    log: options.log,
    stats,
  });
  const link = new SubscribeLink(connect(options, 'listens for'), channel, options, dispatch);
  await Promise.all([link.firstTry, firstTryOf(publisher)]);
  const disconnect = async (): Promise<void> => {
    await Promise.all([link.close(), end(publisher)]);
  };
  return createAdapter({ dispatch, outbox, stats, isConnected: () => link.connected, disconnect });
}

/** A client that fails its commands at once while it is not connected, and connects again for ever. */
function connect({ url, applicationName, log }: RedisBusOptions, role: string): Redis {
  const client = new Redis(url, {
    connectionName: applicationName,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => backoffMs(RECONNECT, attempt),
  });
  let told = false;
  client.on('ready', () => (told = false));
  client.on('error', (error) => {
    if (!told) log.warn({ err: error }, `the connection to Redis that ${role} events broke`);
    told = true;
  });
  return client;
}

/** Resolves when the client is ready or its first connection failed. */
function firstTryOf(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    client.once('ready', resolve);
    client.once('close', resolve);
  });
}

/** Resolves when the connection is closed. */
async function end(client: Redis): Promise<void> {
  if (client.status === 'end') return;
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  client.disconnect();
  await ended;
}

/** The subscribed connection: ioredis makes it again, the subscription and its acknowledgement are ours. */
class SubscribeLink {
  readonly #client: Redis;
  readonly #dispatch: Dispatch;
  readonly #log: Log;
  readonly #keepalive: NodeJS.Timeout;
  readonly firstTry: Promise<void>;
  connected = false;

  constructor(client: Redis, channel: string, options: RedisBusOptions, dispatch: Dispatch) {
    this.#client = client;
    this.#dispatch = dispatch;
    this.#log = options.log;
    client.on('message', (_, payload) => dispatch.receive(payload));
    client.on('close', () => this.#lost());
    this.firstTry = new Promise((resolve) => {
      client.on('ready', () => void this.#subscribe(channel).then(resolve));
      client.once('close', resolve);
    });
    this.#keepalive = setInterval(() => this.#ping(), options.keepaliveMs ?? KEEPALIVE_MS);
    this.#keepalive.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#keepalive);
    await end(this.#client);
  }

  async #subscribe(channel: string): Promise<void> {
    try {
      await this.#client.subscribe(channel);
    } catch (error) {
      this.#log.warn({ err: error }, 'Redis did not take the subscription to events');
      if (this.#client.status === 'ready') this.#client.disconnect(true);
      return;
    }
    this.connected = true;
    this.#dispatch.gap();
  }

  #lost(): void {
    if (!this.connected) return;
    this.connected = false;
    this.#dispatch.gap();
  }

  /** An answer that does not come makes ioredis end the connection (`socketTimeout`); its `close` says so. */
  #ping(): void {
    if (this.connected) this.#client.ping().catch(() => undefined);
  }
}

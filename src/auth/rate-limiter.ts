import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { backoffMs, type BackoffPolicy } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';

/** Points are counted in windows of so long: a client may be fast for a moment, and not for long. */
export const WINDOW_SECONDS = 10;
/** Redis has this long; then the points are counted in this process. */
const TIMEOUT_MS = 500;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT: BackoffPolicy = { baseMs: 100, maxMs: 5_000 };

/** What a caller has left of a window. */
export interface Allowance {
  readonly isAllowed: boolean;
  /** Points of a window */
  readonly limit: number;
  readonly remaining: number;
  /** Until the next window */
  readonly resetSeconds: number;
}

export interface RateLimiter {
  /** Takes points from a caller's window. Never throws: it must not be the reason why nothing is served. */
  take(caller: string, points: number): Promise<Allowance>;
  close(): void;
}

export interface RateLimiterOptions {
  readonly pointsPerSecond: number;
  /** Where several API processes count together; null: each counts by itself */
  readonly redis: { readonly url: string; readonly prefix: string } | null;
  readonly applicationName: string;
  readonly log: Log;
}

export function openRateLimiter(options: RateLimiterOptions): RateLimiter {
  const limit = options.pointsPerSecond * WINDOW_SECONDS;
  const window = { points: limit, duration: WINDOW_SECONDS };
  const memory = new RateLimiterMemory(window);
  const client = options.redis && connect(options.redis.url, options);
  const limiter = client
    ? new RateLimiterRedis({
        ...window,
        storeClient: client,
        keyPrefix: `${options.redis?.prefix ?? ''}:points`,
        insuranceLimiter: memory,
        rejectIfRedisNotReady: true,
        // Whoever has used a window up is refused without asking Redis again.
        inMemoryBlockOnConsumed: limit + 1,
      })
    : memory;
  return {
    async take(caller, points) {
      const { isAllowed, state } = await limiter.consume(caller, points).then(
        (taken) => ({ isAllowed: true, state: taken }),
        (error: unknown) => {
          if (error instanceof RateLimiterRes) return { isAllowed: false, state: error };
          throw error;
        },
      );
      const resetSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1_000));
      return { isAllowed, limit, remaining: Math.max(0, state.remainingPoints), resetSeconds };
    },
    close: () => client?.disconnect(),
  };
}

function connect(url: string, { applicationName, log }: RateLimiterOptions): Redis {
  const client = new Redis(url, {
    connectionName: applicationName,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => backoffMs(RECONNECT, attempt),
  });
  let told = false;
  client.on('ready', () => (told = false));
  client.on('error', (error) => {
    if (!told) log.warn({ err: error }, 'the connection to Redis that counts points broke');
    told = true;
  });
  return client;
}

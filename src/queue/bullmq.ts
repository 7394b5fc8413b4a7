import { randomUUID } from 'node:crypto';
import { createPostgresBackend, createRedisBackend, withBackend, type JobsOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { QUEUE_NAMES, type QueueName } from '../domain/job.ts';
import { raceAbort } from '../lib/abort.ts';
import { Batcher } from '../lib/batcher.ts';
import { EnduringClient } from '../lib/enduring-client.ts';
import type { Log } from '../lib/log.ts';
import { BULLMQ_SCHEMA, redisKeyPrefix, type Broker } from './broker.ts';
import { deliveryId, type Delivery, type DeliveryQueue } from './queue.ts';

/** No call to the broker takes longer. */
const CALL_TIMEOUT_MS = 5_000;
/** Calls of `deliver` that go to the broker together, and such bundles under way at once */
const ADDS_MAX = 200;
const ADDS_AT_ONCE = 2;
/** BullMQ forgets a delivery that ended after an hour or 1,000 others: Postgres has the history. */
const KEPT = { age: 3_600, count: 1_000 };
/** The sentinel outlives the broker's contents; much longer does not fit into BullMQ's delay scores. */
const EPOCH_DELAY_MS = 5 * 365 * 86_400_000;

/** The part of BullMQ's Queue that a producer needs, whatever its backend. */
interface BullQueue {
  add(name: string, data: unknown, options: JobsOptions): Promise<unknown>;
  addBulk(jobs: { name: string; data: unknown; opts: JobsOptions }[]): Promise<unknown>;
  getJob(id: string): Promise<{ readonly finishedOn?: number } | undefined>;
  remove(id: string): Promise<number>;
  getJobCounts(...types: ('waiting' | 'prioritized' | 'active')[]): Promise<Record<string, number>>;
  toKey(type: string): string;
  close(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** The only producer of BullMQ. BullMQ never owns a retry: one attempt, and Postgres says what comes next. */
export function openBullQueue(broker: Broker, log: Log): DeliveryQueue {
  const connection = broker.type === 'redis' ? connectRedis(broker, log) : connectPostgres(broker);
  const queues = new Map(QUEUE_NAMES.map((name) => [name, connection.open(name)]));
  for (const queue of queues.values())
    queue.on('error', (err) => log.warn({ err }, 'the queue reports an error'));
  const get = (name: QueueName): BullQueue => {
    const queue = queues.get(name);
    if (!queue) throw new Error(`unknown queue: ${name}`);
    return queue;
  };
  // Starts that come together share a call.
  const adders = new Map(
    QUEUE_NAMES.map((name) => [
      name,
      new Batcher({
        sizeMax: ADDS_MAX,
        concurrency: ADDS_AT_ONCE,
        isolate: false,
        run: async (batch: readonly (readonly Delivery[])[]) => {
          await limited(get(name).addBulk(batch.flat().map(toBull)));
          return batch;
        },
      }),
    ]),
  );
  return {
    async deliver(name, deliveries) {
      await adders.get(name)?.add(deliveries);
    },
    async remove(name, jobId, delivery) {
      await limited(get(name).remove(deliveryId(jobId, delivery)));
    },
    async counts(name) {
      const counts = await limited(get(name).getJobCounts('waiting', 'prioritized', 'active'));
      return { waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0), active: counts.active ?? 0 };
    },
    async missing(name, deliveries) {
      const found = await limited(
        Promise.all(deliveries.map(({ jobId, delivery }) => get(name).getJob(deliveryId(jobId, delivery)))),
      );
      // What ended is kept for a while.
      return deliveries.filter(
        (_, index) => found[index] === undefined || found[index].finishedOn !== undefined,
      );
    },
    async pass(name) {
      await limited(connection.pass(get(name)));
    },
    async plantEpoch(name) {
      const epoch = randomUUID();
      await limited(
        get(name).add('epoch', {}, { jobId: epochId(epoch), delay: EPOCH_DELAY_MS, removeOnComplete: true }),
      );
      return epoch;
    },
    async hasEpoch(name, epoch) {
      return Boolean(await limited(get(name).getJob(epochId(epoch))));
    },
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => limited(queue.close())));
      await connection.close();
    },
  };
}

interface BullConnection {
  open(name: QueueName): BullQueue;
  pass(queue: BullQueue): Promise<void>;
  close(): Promise<void>;
}

/** BullMQ keeps a pool for each queue: one connection each, given back when idle. */
function connectPostgres(broker: Extract<Broker, { type: 'postgres' }>): BullConnection {
  const { Queue } = withBackend(createPostgresBackend);
  const connection = {
    Client: EnduringClient,
    connectionString: broker.databaseUrl,
    schema: BULLMQ_SCHEMA,
    max: 1,
    application_name: broker.applicationName,
    connectionTimeoutMillis: CALL_TIMEOUT_MS,
    statement_timeout: CALL_TIMEOUT_MS,
    // A connection that died without a word is given up for another one.
    query_timeout: CALL_TIMEOUT_MS,
  };
  return {
    open: (name) => new Queue<unknown>(name, { connection }),
    // PostgreSQL tells all idle workers, and one of them is first.
    pass: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function connectRedis(broker: Extract<Broker, { type: 'redis' }>, log: Log): BullConnection {
  const redis = new Redis(broker.url, {
    connectionName: broker.applicationName,
    maxRetriesPerRequest: 1,
    commandTimeout: CALL_TIMEOUT_MS,
    connectTimeout: CALL_TIMEOUT_MS,
    // A connection that died without a word is given up for another one.
    socketTimeout: CALL_TIMEOUT_MS,
  });
  redis.on('error', (err: Error) => log.warn({ err }, "the queue's connection to Redis broke"));
  const { Queue } = withBackend(createRedisBackend);
  return {
    open: (name) =>
      new Queue<unknown>(name, {
        connection: redis,
        prefix: redisKeyPrefix(broker.prefix),
        skipWaitingForReady: true,
      }),
    /**
     * Redis wakes the client that has blocked longest, and BullMQ two for each delivery: one that fetches it and one
     * that looks for more. Of two idle workers the same one gets every delivery, of four the same two. A marker without
     * a delivery wakes one: done at random, everybody's turn comes.
     */
    async pass(queue) {
      if (Math.random() < 0.5) await redis.zadd(queue.toKey('marker'), 0, '0');
    },
    async close() {
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}

function toBull({ jobId, delivery, priority }: Delivery): { name: string; data: unknown; opts: JobsOptions } {
  return {
    name: 'delivery',
    data: { jobId, delivery },
    opts: {
      jobId: deliveryId(jobId, delivery),
      attempts: 1,
      priority,
      removeOnComplete: KEPT,
      removeOnFail: KEPT,
    },
  };
}

const epochId = (epoch: string): string => `epoch-${epoch}`;

function limited<T>(call: Promise<T>): Promise<T> {
  return raceAbort(call, AbortSignal.timeout(CALL_TIMEOUT_MS));
}

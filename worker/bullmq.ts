import {
  createPostgresBackend,
  createRedisBackend,
  WaitingError,
  withBackend,
  type WorkerOptions,
} from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import type { QueueName } from '../src/domain/job.ts';
import { raceAbort } from '../src/lib/abort.ts';
import { EnduringClient } from '../src/lib/enduring-client.ts';
import type { Log } from '../src/lib/log.ts';
import { BULLMQ_SCHEMA, redisKeyPrefix, type Broker } from '../src/queue/broker.ts';
import { DeliveryKept } from './delivery-kept.ts';

const deliveryData = z.object({ jobId: z.uuid(), delivery: z.int().positive() });

/**
 * A delivery that was fetched and not claimed must come round again soon; BullMQ's own judgement of a stalled job
 * ends nothing, because Postgres alone ends an attempt. With the defaults it took 52 s, with these about 10 s.
 */
const STALLING = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 1_000 };
const KEPT = { age: 3_600, count: 1_000 };
/** How long an idle worker waits in one blocking call, in seconds. */
const DRAIN_DELAY_SECONDS = 5;
/** A statement that PostgreSQL does not answer; longer than it takes to notice a deaf consumer. */
const QUERY_TIMEOUT_MS = 20_000;
const READY_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 3_000;

/** The part of BullMQ's Worker that a consumer needs, whatever its backend. */
interface BullWorker {
  concurrency: number;
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): Promise<void>;
  close(force?: boolean): Promise<void>;
}

/** A BullMQ Worker and how to give its connections up, whatever state they are in. */
interface Opened {
  readonly worker: BullWorker;
  disconnect(): void;
}

export interface Consumer {
  /** Deliveries handed out at once from now on, 1 or more; what runs beyond it goes on. */
  setConcurrency(concurrency: number): Promise<void>;
  /** Fetches nothing more; a delivery that is on its way just now still comes. What runs goes on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Gives the connections up within 3 s, whatever state they are in. What runs goes on, and its end is not told. */
  close(): Promise<void>;
}

export interface ConsumerOptions {
  readonly broker: Broker;
  readonly queue: QueueName;
  readonly concurrency: number;
  readonly log: Log;
  /** What it throws ends the delivery; with DeliveryKept the broker hands it out again within 15 s or so. */
  execute(jobId: string, delivery: number): Promise<void>;
}

/**
 * The only consumer of BullMQ: fetches deliveries of one queue and hands them to `execute`, `concurrency` at once.
 * Resolves when it is connected, or after 5 s: it goes on trying.
 */
export async function openConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { broker, queue, concurrency, log } = options;
  const settings = {
    ...STALLING,
    concurrency,
    drainDelay: DRAIN_DELAY_SECONDS,
    removeOnComplete: KEPT,
    removeOnFail: KEPT,
  };
  const process = processOf(options);
  const { worker, disconnect } =
    broker.type === 'redis'
      ? onRedis(broker, queue, process, settings)
      : onPostgres(broker, queue, process, settings);
  // BullMQ reports a lock that it lost here too: after a flush it does so for all healthy work. It changes nothing.
  worker.on('error', (err) => log.debug({ err, queue }, 'the broker reports an error'));
  await within(READY_TIMEOUT_MS, worker.waitUntilReady()).catch((err: unknown) => {
    log.warn({ err, queue }, 'the consumer is not connected yet; it goes on trying');
  });
  let paused = false;
  return {
    async setConcurrency(concurrency) {
      const more = concurrency > worker.concurrency;
      worker.concurrency = concurrency;
      // BullMQ looks at the number when a delivery ends, which may take hours; a pause and its end make it look now.
      if (!more || paused) return;
      await worker.pause(true);
      await worker.resume();
    },
    async pause() {
      paused = true;
      await worker.pause(true);
    },
    async resume() {
      paused = false;
      await worker.resume();
    },
    async close() {
      await within(CLOSE_TIMEOUT_MS, worker.close(true)).catch((err: unknown) => {
        log.debug({ err, queue }, 'the consumer did not close in time');
      });
      disconnect();
    },
  };
}

function processOf({ execute, queue, log }: ConsumerOptions): Process {
  return async ({ data }) => {
    const parsed = deliveryData.safeParse(data);
    // The sentinel of an epoch, years old, or what somebody else put here.
    if (!parsed.success) return;
    const { jobId, delivery } = parsed.data;
    try {
      await execute(jobId, delivery);
    } catch (error) {
      if (!(error instanceof DeliveryKept)) throw error;
      log.warn({ err: error, queue, jobId }, 'a delivery could not be handled; the broker keeps it');
      // To BullMQ: neither done nor failed. Nobody renews its lock any more, so that it comes round as a stalled one.
      throw new WaitingError();
    }
  };
}

const within = <T>(ms: number, promise: Promise<T>): Promise<T> =>
  raceAbort(promise, AbortSignal.timeout(ms));

type Process = (job: { data: unknown }) => Promise<void>;
type Options = Omit<WorkerOptions, 'connection'>;

function onPostgres(
  broker: Extract<Broker, { type: 'postgres' }>,
  queue: QueueName,
  process: Process,
  options: Options,
): Opened {
  const { Worker } = withBackend(createPostgresBackend);
  const { databaseUrl: connectionString, applicationName } = broker;
  const connection = {
    Client: EnduringClient,
    connectionString,
    schema: BULLMQ_SCHEMA,
    max: 2,
    application_name: applicationName,
    keepAlive: true,
    query_timeout: QUERY_TIMEOUT_MS,
  };
  // Its connections are BullMQ's own: one that hangs is given up by QUERY_TIMEOUT_MS.
  return { worker: new Worker(queue, process, { ...options, connection }), disconnect: () => undefined };
}

function onRedis(
  broker: Extract<Broker, { type: 'redis' }>,
  queue: QueueName,
  process: Process,
  options: Options,
): Opened {
  const { Worker } = withBackend(createRedisBackend);
  const connection = new Redis(broker.url, {
    maxRetriesPerRequest: null,
    connectionName: broker.applicationName,
  });
  connection.on('error', () => undefined);
  const worker = new Worker(queue, process, {
    ...options,
    connection,
    prefix: redisKeyPrefix(broker.prefix),
  });
  return { worker, disconnect: () => connection.disconnect() };
}

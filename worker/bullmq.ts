import { createPostgresBackend, createRedisBackend, withBackend, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import type { QueueName } from '../src/domain/job.ts';
import { raceAbort } from '../src/lib/abort.ts';
import type { Log } from '../src/lib/log.ts';
import { BULLMQ_SCHEMA, redisKeyPrefix, type Broker } from '../src/queue/broker.ts';

const deliveryData = z.object({ jobId: z.uuid(), delivery: z.int().positive() });

/**
 * A delivery that was fetched and not claimed must come round again soon; BullMQ's own judgement of a stalled job
 * ends nothing, because Postgres alone ends an attempt. With the defaults it took 52 s, with these about 10 s.
 */
const STALLING = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 1_000 };
const KEPT = { age: 3_600, count: 1_000 };
/** How long an idle worker waits in one blocking call, in seconds. */
const DRAIN_DELAY_SECONDS = 5;
const CLOSE_TIMEOUT_MS = 3_000;

/** The part of BullMQ's Worker that a consumer needs, whatever its backend. */
interface BullWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(force?: boolean): Promise<void>;
}

export interface Consumer {
  /** Takes nothing new any more; resolves at once. What runs goes on. */
  close(): Promise<void>;
}

interface ConsumerOptions {
  readonly broker: Broker;
  readonly queue: QueueName;
  readonly concurrency: number;
  readonly log: Log;
  execute(jobId: string, delivery: number): Promise<void>;
}

/** The only consumer of BullMQ: fetches deliveries of one queue and hands them to `execute`, `concurrency` at once. */
export async function openConsumer({
  broker,
  queue,
  concurrency,
  log,
  execute,
}: ConsumerOptions): Promise<Consumer> {
  const process = async (job: { data: unknown }): Promise<void> => {
    const parsed = deliveryData.safeParse(job.data);
    // The sentinel of an epoch, years old, or what somebody else put here.
    if (!parsed.success) return;
    await execute(parsed.data.jobId, parsed.data.delivery);
  };
  const options = {
    ...STALLING,
    concurrency,
    drainDelay: DRAIN_DELAY_SECONDS,
    removeOnComplete: KEPT,
    removeOnFail: KEPT,
  };
  const worker =
    broker.type === 'redis'
      ? onRedis(broker, queue, process, options)
      : onPostgres(broker, queue, process, options);
  // BullMQ reports a lock that it lost here too: after a flush it does so for all healthy work. It changes nothing.
  worker.on('error', (err) => log.debug({ err, queue }, 'the broker reports an error'));
  await worker.waitUntilReady();
  return {
    async close() {
      await raceAbort(worker.close(true), AbortSignal.timeout(CLOSE_TIMEOUT_MS)).catch((err: unknown) => {
        log.debug({ err, queue }, 'the consumer did not close in time');
      });
    },
  };
}

type Process = (job: { data: unknown }) => Promise<void>;
type Options = Omit<WorkerOptions, 'connection'>;

function onPostgres(
  broker: Extract<Broker, { type: 'postgres' }>,
  queue: QueueName,
  process: Process,
  options: Options,
): BullWorker {
  const { Worker } = withBackend(createPostgresBackend);
  const { databaseUrl: connectionString, applicationName } = broker;
  const connection = {
    connectionString,
    schema: BULLMQ_SCHEMA,
    max: 2,
    application_name: applicationName,
    keepAlive: true,
  };
  return new Worker(queue, process, { ...options, connection });
}

function onRedis(
  broker: Extract<Broker, { type: 'redis' }>,
  queue: QueueName,
  process: Process,
  options: Options,
): BullWorker {
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
  worker.on('closed', () => connection.disconnect());
  return worker;
}

import { hostname } from 'node:os';
import { linkBase, workerPoolSize, type Config } from '../src/config.ts';
import { QUEUE_NAMES, type QueueName } from '../src/domain/job.ts';
import { newUuid } from '../src/domain/ids.ts';
import { openBus } from '../src/events/index.ts';
import type { JobCatalogue } from '../src/jobs/define.ts';
import { systemCatalogue } from '../src/jobs/index.ts';
import { systemClock } from '../src/lib/clock.ts';
import { sleep } from '../src/lib/abort.ts';
import type { Log } from '../src/lib/log.ts';
import { startLoop, type Loop } from '../src/lib/loop.ts';
import { openMailer } from '../src/notify/mailer.ts';
import { NOTICE_LIMITS, type NoticeLimits } from '../src/notify/plan.ts';
import { brokerOf } from '../src/queue/broker.ts';
import { openQueue } from '../src/queue/index.ts';
import { openDatabase } from '../src/repositories/db.ts';
import { takeBackDeliveries } from '../src/repositories/job-deliveries.ts';
import { ensureQueues } from '../src/repositories/queues.ts';
import { removeWorker, workerApplicationName, type WorkerIdentity } from '../src/repositories/workers.ts';
import { loadMasterSecret, openCipher } from '../src/secrets/index.ts';
import { openStorage } from '../src/storage/index.ts';
import { Attempts } from './attempts.ts';
import { BEAT_TIMES, startBeat, type BeatTimes } from './beat.ts';
import { openConsumer } from './bullmq.ts';
import { executeDelivery, type ExecutorDeps } from './executor.ts';
import { bindHandlers, type Handlers } from './handlers.ts';
import { createSystemHandlers } from './jobs/index.ts';
import { dispatchQueue } from './maintenance/dispatch.ts';
import { checkEpochs, compareCounts } from './maintenance/epochs.ts';
import { endAbandonedDeliveries, notify } from './maintenance/notify.ts';
import { prune } from './maintenance/prune.ts';
import { Rescuer } from './maintenance/rescue.ts';
import { Watch } from './maintenance/watch.ts';

export interface WorkerAppOptions<C extends JobCatalogue> {
  readonly config: Config;
  /** Postgres as this process reaches it, and without a pooler between */
  readonly databaseUrl: string;
  readonly directDatabaseUrl: string;
  /** Kinds beside the system's own */
  readonly catalogue: C;
  readonly handlers: Handlers<C>;
  readonly log: Log;
  /** Shorter in tests */
  readonly times?: BeatTimes;
  /** When notices become digests; smaller in tests */
  readonly noticeLimits?: NoticeLimits;
}

export interface WorkerApp {
  readonly id: string;
  /** Throws what makes this worker useless, for /readyz. */
  checkReady(signal: AbortSignal): Promise<void>;
  /** Takes nothing new, gives running attempts back, and closes what was opened, in reverse. */
  close(): Promise<void>;
}

/** Statements of a worker may copy and merge thousands of rows. */
const STATEMENT_TIMEOUT_MS = 60_000;
const DISPATCH_MS = 250;
const UPKEEP_MS = 1_000;
const COMPARE_MS = 30_000;
const PRUNE_MS = 60_000;
const NOTIFY_MS = 500;
/** Running attempts have this long to give their jobs back when the process goes away. */
const RELEASE_MS = 3_000;

/** Composition root of a worker process: opens everything in order and closes it in reverse. */
export async function createWorkerApp<C extends JobCatalogue>(
  options: WorkerAppOptions<C>,
): Promise<WorkerApp> {
  const { config, log, times = BEAT_TIMES } = options;
  const catalogue = { ...options.catalogue, ...systemCatalogue };
  const worker = identify(catalogue);
  const applicationName = workerApplicationName(worker.id);

  const db = openDatabase({
    url: options.databaseUrl,
    applicationName,
    connectionsMax: workerPoolSize(config),
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    log,
  });
  await ensureQueues(db, QUEUE_NAMES);
  const bus = await openBus({
    broker: config.broker,
    directDatabaseUrl: options.directDatabaseUrl,
    applicationName,
    log,
  });
  const broker = brokerOf(config.broker, options.directDatabaseUrl, applicationName);
  const queue = openQueue(broker, log);
  const beat = startBeat({ databaseUrl: options.directDatabaseUrl, worker, times, log });
  await beat.started;

  const mailer = config.mail && openMailer(config.mail);
  const cipher = openCipher(await loadMasterSecret(config), config.encryptionKeys);
  const links = { linkBase: linkBase(config) };
  const limits = options.noticeLimits ?? NOTICE_LIMITS;
  const notifyDeps = { db, bus, catalogue, canMail: mailer !== null, limits, ...links };

  const attempts = new Attempts();
  const closing = new AbortController();
  const dispatchers = new Map<QueueName, Loop>();
  const executor: ExecutorDeps = {
    db,
    bus,
    storage: openStorage(config),
    jobs: { db, bus, queue, catalogue, log },
    clock: systemClock,
    log,
    worker,
    catalogue,
    handlers: new Map([
      ...bindHandlers(options.catalogue, options.handlers),
      ...bindHandlers(
        systemCatalogue,
        createSystemHandlers({ cipher, mailer, outbound: config.outbound, ...links }),
      ),
    ]),
    attempts,
    closing: closing.signal,
    onSettled: (name) => dispatchers.get(name)?.poke(),
  };
  const stopListening = bus.on('jobCancel', '*', (delivery) => {
    if (delivery.type === 'message') attempts.stop(delivery.key, delivery.message.delivery, 'cancelled');
  });
  const dispatchDeps = { db, queue, log };
  await checkEpochs(dispatchDeps, QUEUE_NAMES);

  const rescuer = new Rescuer({ db, bus, log, staleMs: times.staleMs });
  const watch = new Watch({ db, bus, log, workerId: worker.id, attempts, beat, staleMs: times.staleMs });
  for (const name of QUEUE_NAMES) {
    const run = () => dispatchQueue(dispatchDeps, name, config.concurrency[name]);
    dispatchers.set(name, startLoop({ name: `dispatch ${name}`, everyMs: DISPATCH_MS, log, run }));
  }
  const loops = [
    startLoop({ name: 'epochs', everyMs: UPKEEP_MS, log, run: () => checkEpochs(dispatchDeps, QUEUE_NAMES) }),
    startLoop({
      name: 'counts',
      everyMs: COMPARE_MS,
      log,
      run: () => compareCounts(dispatchDeps, QUEUE_NAMES),
    }),
    startLoop({ name: 'rescue', everyMs: Math.min(UPKEEP_MS, times.beatMs), log, run: () => rescuer.look() }),
    startLoop({ name: 'watch', everyMs: Math.min(UPKEEP_MS, times.beatMs), log, run: () => watch.look() }),
    startLoop({ name: 'notify', everyMs: NOTIFY_MS, log, run: (signal) => notify(notifyDeps, signal) }),
    startLoop({
      name: 'abandoned webhooks',
      everyMs: PRUNE_MS,
      log,
      run: () => endAbandonedDeliveries(notifyDeps),
    }),
    startLoop({ name: 'prune', everyMs: PRUNE_MS, log, run: (signal) => prune(db, signal) }),
  ];
  const running = new Set<Promise<void>>();
  const execute = (jobId: string, delivery: number): Promise<void> => {
    // Too late for this process: the delivery goes back to Postgres, and another one is issued.
    if (closing.signal.aborted) return takeBackDeliveries(db, [{ jobId, delivery, place: 1 }]);
    const run = executeDelivery(executor, jobId, delivery).finally(() => running.delete(run));
    running.add(run);
    return run;
  };
  const consumers = await Promise.all(
    QUEUE_NAMES.map((name) =>
      openConsumer({ broker, queue: name, concurrency: config.concurrency[name], log, execute }),
    ),
  );

  return {
    id: worker.id,
    async checkReady(signal) {
      signal.throwIfAborted();
      await db.query('SELECT 1');
      if (!bus.connected) throw new Error('the event bus is not connected');
      if (beat.sinceLastMs() > times.staleMs) throw new Error('the beat does not get through');
    },
    async close() {
      closing.abort();
      await Promise.all([...loops, ...dispatchers.values()].map((loop) => loop.stop()));
      attempts.stopAll('shutdown');
      await Promise.race([Promise.allSettled(running), sleep(RELEASE_MS)]);
      await Promise.all(consumers.map((consumer) => consumer.close()));
      stopListening();
      await beat.stop();
      await removeWorker(db, worker.id).catch((err: unknown) => log.warn({ err }, 'the beat row stays'));
      mailer?.close();
      await queue.close();
      await bus.flush();
      await bus.close();
      await db.close();
    },
  };
}

function identify(catalogue: JobCatalogue): WorkerIdentity {
  const capabilities = Object.fromEntries(
    Object.values(catalogue).flatMap(({ kind, aliases = [], version }) =>
      [kind, ...aliases].map((name) => [name, version]),
    ),
  );
  return { id: newUuid(), name: `${hostname()}:${process.pid}`, capabilities, queues: QUEUE_NAMES };
}

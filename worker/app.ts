import { hostname } from 'node:os';
import { attemptRoom, linkBase, workerPoolSize, type Config } from '../src/config.ts';
import { QUEUE_NAMES } from '../src/domain/job.ts';
import { newUuid } from '../src/domain/ids.ts';
import { openBus } from '../src/events/index.ts';
import type { JobCatalogue } from '../src/jobs/define.ts';
import { connectorsFor, type Connectors } from '../src/connectors/index.ts';
import { systemCatalogue } from '../src/jobs/index.ts';
import { systemClock } from '../src/lib/clock.ts';
import type { Log } from '../src/lib/log.ts';
import { startLoop } from '../src/lib/loop.ts';
import { openMailer } from '../src/notify/mailer.ts';
import { NOTICE_LIMITS, type NoticeLimits } from '../src/notify/plan.ts';
import { brokerOf } from '../src/queue/broker.ts';
import { createJobDeps } from '../src/queue/deps.ts';
import { openQueue } from '../src/queue/index.ts';
import { ensureSystemOrganization } from '../src/repositories/canary.ts';
import { openDatabase } from '../src/repositories/db.ts';
import { takeBackDeliveries } from '../src/repositories/job-deliveries.ts';
import { ensureQueues } from '../src/repositories/queues.ts';
import { removeWorker, workerApplicationName, type WorkerIdentity } from '../src/repositories/workers.ts';
import { loadMasterSecret, openCipher } from '../src/secrets/index.ts';
import { openStorage } from '../src/storage/index.ts';
import { LoopLag } from '../src/telemetry/loop-lag.ts';
import type { Exposition } from '../src/telemetry/registry.ts';
import { createAttemptWrites } from './attempt-writes.ts';
import { Attempts } from './attempts.ts';
import { BEAT_TIMES, startBeat, type BeatTimes } from './beat.ts';
import { stopCancelled } from './cancel.ts';
import { openConsumer } from './bullmq.ts';
import { Executions } from './executions.ts';
import { DeliveryKept } from './delivery-kept.ts';
import { executeDelivery, type ExecutorDeps } from './executor.ts';
import { bindHandlers, type Handlers } from './handlers.ts';
import { createSystemHandlers } from './jobs/index.ts';
import { BrokerLink } from './maintenance/broker-link.ts';
import { DeafWatch } from './maintenance/deaf.ts';
import { checkEpochs } from './maintenance/epochs.ts';
import { QueueSettingsFollower } from './maintenance/queue-settings.ts';
import { Rescuer } from './maintenance/rescue.ts';
import { Watch } from './maintenance/watch.ts';
import { createWorkerMetrics, exposeSlots } from './metrics.ts';
import { reasonsNotReady } from './readiness.ts';
import { windDown, within } from './shutdown.ts';
import { SupervisedConsumer } from './supervised-consumer.ts';
import { startUpkeep } from './upkeep.ts';

export interface WorkerAppOptions<C extends JobCatalogue> {
  readonly config: Config;
  /** Postgres as this process reaches it, and without a pooler between */
  readonly databaseUrl: string;
  readonly directDatabaseUrl: string;
  /** Kinds beside the system's own */
  readonly catalogue: C;
  readonly handlers: Handlers<C>;
  /** Providers beside those of the configuration, in tests */
  readonly connectors?: Connectors;
  readonly log: Log;
  /** Shorter in tests */
  readonly times?: BeatTimes;
  /** Between two canaries of the whole installation, in ms; default 15,000; null: none */
  readonly canaryMs?: number | null;
  /** When notices become digests; smaller in tests */
  readonly noticeLimits?: NoticeLimits;
}

export interface WorkerApp {
  readonly id: string;
  /** What makes this worker useless just now, for /readyz; nothing: it is ready. */
  notReady(signal: AbortSignal): Promise<string[]>;
  metrics(): Promise<Exposition>;
  /**
   * Takes nothing new, lets running attempts finish for a while, gives the rest back, and closes what was opened, in
   * reverse. `hurry` ends the waiting.
   */
  close(hurry?: AbortSignal): Promise<void>;
}

/** Statements of a worker may copy and merge thousands of rows. */
const STATEMENT_TIMEOUT_MS = 60_000;
const WATCH_MS = 1_000;
const CANARY_MS = 15_000;
/** What was opened has this long to close, all in all; the process ends then all the same. */
const CLOSE_MS = 3_500;

/** Composition root of a worker process: opens everything in order and closes it in reverse. */
export async function createWorkerApp<C extends JobCatalogue>(
  options: WorkerAppOptions<C>,
): Promise<WorkerApp> {
  const { config, log, times = BEAT_TIMES, canaryMs = CANARY_MS } = options;
  const catalogue = { ...options.catalogue, ...systemCatalogue };
  const worker = identify(catalogue);
  const applicationName = workerApplicationName(worker.id);

  const db = openDatabase({
    url: options.databaseUrl,
    applicationName,
    connectionsMax: workerPoolSize(config),
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    // Two addresses: the first is a pooler's.
    prepares: options.databaseUrl === options.directDatabaseUrl,
    log,
  });
  await ensureQueues(db, QUEUE_NAMES);
  await ensureSystemOrganization(db);
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

  const lag = new LoopLag();
  const { metrics, measure, onStarted, onTakeover, onRedelivery, onRebuild } = createWorkerMetrics({
    db,
    bus,
    catalogue,
    lag,
    log,
  });
  const jobs = createJobDeps({ db, bus, queue, catalogue, log, onStarted });
  const writes = createAttemptWrites(db, worker, (name) => {
    queue.pass(name).catch((err: unknown) => log.debug({ err, queue: name }, 'no turn was passed'));
  });
  const dispatch = { db, queue, log, onRedelivery };
  await checkEpochs(dispatch, QUEUE_NAMES);

  const mailer = config.mail && openMailer(config.mail);
  const cipher = openCipher(await loadMasterSecret(config), config.encryptionKeys);
  const links = { linkBase: linkBase(config) };
  const limits = options.noticeLimits ?? NOTICE_LIMITS;
  const notices = { db, bus, catalogue, canMail: mailer !== null, limits, ...links };

  const connectors = { ...connectorsFor(config), ...options.connectors };
  const attempts = new Attempts();
  const closing = new AbortController();
  const storage = openStorage(config);
  const executor: ExecutorDeps = {
    db,
    bus,
    storage,
    jobs,
    connections: {
      db,
      cipher,
      connectors,
      baseUrls: config.providerBaseUrls,
      clock: systemClock,
      log,
    },
    clock: systemClock,
    log,
    writes,
    catalogue,
    handlers: new Map([
      ...bindHandlers(options.catalogue, options.handlers),
      ...bindHandlers(
        systemCatalogue,
        createSystemHandlers({ cipher, mailer, outbound: config.outbound, ...links }),
      ),
    ]),
    attempts,
    measure,
    closing: closing.signal,
    onSettled: (name) => upkeep.settled(name),
  };
  const stopListening = bus.on('jobCancel', '*', (delivery) => {
    if (delivery.type === 'message')
      void stopCancelled({ db, bus, log, attempts }, delivery.key, delivery.message.delivery);
  });
  const takeBack = (jobId: string, delivery: number): Promise<void> =>
    takeBackDeliveries(db, [{ jobId, delivery }]).catch((error: unknown) => {
      throw new DeliveryKept(error);
    });
  const executions = new Executions({
    takeBack,
    execute: (jobId, delivery) => executeDelivery(executor, { jobId, delivery }),
  });
  const consumers = QUEUE_NAMES.map(
    (name) =>
      new SupervisedConsumer({
        queue: name,
        concurrency: config.concurrency[name],
        log,
        execute: (jobId, delivery) => executions.take(jobId, delivery),
        takeBack,
        open: (slots) => openConsumer({ broker, queue: name, log, ...slots }),
      }),
  );
  exposeSlots(metrics, consumers);

  const brokerLink = new BrokerLink(queue);
  const settings = new QueueSettingsFollower({
    db,
    log,
    consumers,
    defaults: config.concurrency,
    room: attemptRoom(config),
  });
  await settings.look();
  const upkeep = startUpkeep({
    db,
    storage,
    log,
    jobs,
    connectors,
    notices,
    dispatch,
    settings,
    rescuer: new Rescuer({ db, bus, log, staleMs: times.staleMs, onTakeover }),
    broker: brokerLink,
    deaf: new DeafWatch({ db, queue, log, consumers, onRebuild: (consumer) => onRebuild(consumer.queue) }),
    beatMs: times.beatMs,
    canaryMs,
  });
  // Goes on while the process winds down: what still runs can be cancelled until its end.
  const watch = new Watch({ db, bus, log, workerId: worker.id, attempts, beat, staleMs: times.staleMs });
  const watching = [
    startLoop({
      name: 'watch',
      everyMs: Math.min(WATCH_MS, times.beatMs),
      log,
      run: () => watch.look(),
    }),
    // By itself: the questions that the other one asks may hang with the link.
    startLoop({
      name: 'watch of the beat',
      everyMs: Math.min(WATCH_MS, times.beatMs),
      log,
      run: async () => watch.giveUpWithoutBeat(),
    }),
  ];
  await Promise.all(consumers.map((consumer) => consumer.open()));

  let draining = false;
  async function closeAll(upkeepStopped: Promise<void>): Promise<void> {
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await upkeepStopped;
    await Promise.all(watching.map((loop) => loop.stop()));
    stopListening();
    lag.stop();
    await beat.stop();
    await removeWorker(db, worker.id).catch((err: unknown) => log.warn({ err }, 'the beat row stays'));
    mailer?.close();
    await queue.close();
    await bus.flush();
    await bus.close();
    await db.close();
  }
  return {
    id: worker.id,
    metrics: () => metrics.expose(),
    notReady: (signal) =>
      reasonsNotReady(
        {
          db,
          bus,
          beat,
          staleMs: times.staleMs,
          broker: brokerLink,
          consumers,
          lag,
          isDraining: () => draining,
        },
        signal,
      ),
    async close(hurry = new AbortController().signal) {
      draining = true;
      const upkeepStopped = upkeep.stop();
      await windDown(
        { writes, bus, log, consumers, executions, attempts, closing, graceMs: config.shutdownGraceMs },
        hurry,
      );
      await within(CLOSE_MS, closeAll(upkeepStopped));
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

import { startDueSyncs } from '../src/connections/due-syncs.ts';
import type { Connectors } from '../src/connectors/index.ts';
import { QUEUE_NAMES, type QueueName } from '../src/domain/job.ts';
import type { Log } from '../src/lib/log.ts';
import { startLoop, type Loop } from '../src/lib/loop.ts';
import type { JobDeps } from '../src/queue/deps.ts';
import type { NotifyDeps } from '../src/notify/deps.ts';
import type { Database } from '../src/repositories/db.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { BrokerLink } from './maintenance/broker-link.ts';
import { startCanary } from './maintenance/canary.ts';
import type { DeafWatch } from './maintenance/deaf.ts';
import { Dispatcher, type DispatchDeps } from './maintenance/dispatch.ts';
import { checkEpochs, compareCounts } from './maintenance/epochs.ts';
import { wakeForgottenParents } from './maintenance/families.ts';
import { endAbandonedDeliveries, notify } from './maintenance/notify.ts';
import { prune } from './maintenance/prune.ts';
import { drainQueues, rollStats } from './maintenance/queues.ts';
import type { QueueSettingsFollower } from './maintenance/queue-settings.ts';
import { fireDueSchedules } from './maintenance/schedules.ts';
import type { Rescuer } from './maintenance/rescue.ts';

interface UpkeepOptions {
  readonly db: Database;
  readonly storage: Storage;
  readonly log: Log;
  readonly jobs: JobDeps;
  readonly connectors: Connectors;
  readonly notices: NotifyDeps;
  readonly dispatch: DispatchDeps;
  readonly rescuer: Rescuer;
  readonly settings: QueueSettingsFollower;
  readonly broker: BrokerLink;
  readonly deaf: DeafWatch;
  readonly beatMs: number;
  /** null: no canary */
  readonly canaryMs: number | null;
}

const UPKEEP_MS = 1_000;
const BROKER_MS = 2_000;
const COMPARE_MS = 5_000;
const PRUNE_MS = 60_000;
const NOTIFY_MS = 500;
const STATS_MS = 10_000;

export interface Upkeep {
  /** A job of the queue settled: there is room for another. */
  settled(queue: QueueName): void;
  /** Resolves when the rounds under way have ended. */
  stop(): Promise<void>;
}

/** Starts the rounds that every worker makes. There is no leader: each holds its own beside the others'. */
export function startUpkeep(options: UpkeepOptions): Upkeep {
  const {
    db,
    storage,
    log,
    jobs,
    connectors,
    notices,
    dispatch,
    rescuer,
    settings,
    broker,
    deaf,
    beatMs,
    canaryMs,
  } = options;
  const every = (everyMs: number, name: string, run: (signal: AbortSignal) => Promise<void>): Loop =>
    startLoop({ name, everyMs, log, run });

  const dispatchers = new Map(
    QUEUE_NAMES.map((name) => [name, new Dispatcher(dispatch, name, () => settings.limits[name])]),
  );
  const loops = [
    every(UPKEEP_MS, 'epochs', () => checkEpochs(dispatch, QUEUE_NAMES)),
    every(COMPARE_MS, 'counts', (signal) => compareCounts(dispatch, QUEUE_NAMES, signal)),
    every(Math.min(UPKEEP_MS, beatMs), 'rescue', () => rescuer.look()),
    every(UPKEEP_MS, 'settings', () => settings.look()),
    every(BROKER_MS, 'broker', () => broker.look()),
    every(UPKEEP_MS, 'deaf', () => deaf.look()),
    every(UPKEEP_MS, 'schedules', (signal) => fireDueSchedules(jobs, signal)),
    every(UPKEEP_MS, 'syncs', (signal) => startDueSyncs(jobs, connectors, signal)),
    every(NOTIFY_MS, 'notify', (signal) => notify(notices, signal)),
    every(PRUNE_MS, 'abandoned webhooks', () => endAbandonedDeliveries(notices)),
    every(UPKEEP_MS, 'families', () => wakeForgottenParents(db)),
    every(PRUNE_MS, 'prune', async (signal) => void (await prune({ db, storage, log }, signal))),
    every(UPKEEP_MS, 'drain', (signal) => drainQueues(db, signal)),
    every(STATS_MS, 'stats', (signal) => rollStats(db, signal)),
  ];
  if (canaryMs !== null)
    loops.push(every(Math.min(5_000, canaryMs / 3), 'canary', () => startCanary(jobs, canaryMs)));
  return {
    settled: (queue) => dispatchers.get(queue)?.settled(),
    async stop() {
      await Promise.all([...loops, ...dispatchers.values()].map((loop) => loop.stop()));
    },
  };
}

import { raceAbort, withTimeout } from '../src/lib/abort.ts';
import type { EventBus } from '../src/events/bus.ts';
import type { Database } from '../src/repositories/db.ts';
import type { LoopLag } from '../src/telemetry/loop-lag.ts';
import type { Beat } from './beat.ts';
import type { BrokerLink } from './maintenance/broker-link.ts';
import type { SupervisedConsumer } from './supervised-consumer.ts';

export interface ReadinessParts {
  readonly db: Database;
  readonly bus: EventBus;
  readonly beat: Pick<Beat, 'sinceLastMs'>;
  /** A beat older than this is stale */
  readonly staleMs: number;
  readonly broker: Pick<BrokerLink, 'silentMs'>;
  readonly consumers: readonly Pick<SupervisedConsumer, 'queue' | 'deaf'>[];
  readonly lag: Pick<LoopLag, 'recentMs'>;
  /** True from the moment a shutdown begins */
  isDraining(): boolean;
}

const POSTGRES_MS = 2_000;
const BROKER_SILENT_MS = 15_000;
const LAG_MS = 5_000;

/** All that makes this worker useless just now, in words that name no address and no secret; none: it is ready. */
export async function reasonsNotReady(parts: ReadinessParts, signal: AbortSignal): Promise<string[]> {
  const { bus, beat, staleMs, broker, consumers, lag } = parts;
  const found: [boolean, string][] = [
    [parts.isDraining(), 'the worker is shutting down'],
    [!(await answers(parts.db, signal)), 'PostgreSQL does not answer'],
    [beat.sinceLastMs() > staleMs, 'the heartbeat does not get through'],
    [!bus.connected, 'the event bus is not connected'],
    [broker.silentMs() > BROKER_SILENT_MS, 'the broker does not answer'],
    [lag.recentMs() > LAG_MS, 'the main loop was held up'],
    ...consumers.map(({ deaf, queue }): [boolean, string] => [
      deaf,
      `jobs wait in the queue ${queue} and the consumer fetches none`,
    ]),
  ];
  return found.filter(([holds]) => holds).map(([, reason]) => reason);
}

async function answers(db: Database, signal: AbortSignal): Promise<boolean> {
  try {
    await raceAbort(db.query('SELECT 1'), withTimeout(POSTGRES_MS, signal));
    return true;
  } catch {
    return false;
  }
}

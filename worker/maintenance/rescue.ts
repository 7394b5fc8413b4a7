import { performance } from 'node:perf_hooks';
import type { EventBus } from '../../src/events/bus.ts';
import type { Log } from '../../src/lib/log.ts';
import { announce } from '../../src/queue/announce.ts';
import type { Database } from '../../src/repositories/db.ts';
import { endSessions, readBeats, removeWorker, rescueJobs } from '../../src/repositories/workers.ts';

/** Jobs of one statement; a dead worker has no more than its concurrency. */
const BATCH = 500;

interface RescuerOptions {
  readonly db: Database;
  readonly bus: EventBus;
  readonly log: Log;
  readonly staleMs: number;
  /** Told how many jobs were taken over from a dead worker */
  onTakeover?(jobs: number): void;
  /** Monotonic, in ms */
  readonly monotonicMs?: () => number;
}

/**
 * Finds workers that are dead and takes their jobs from them. A beat that looks old proves nothing, since after an
 * outage of Postgres every beat does: a rescuer acts only when it has itself read the same beat for as long as a beat
 * may be old, on its own monotonic clock.
 */
export class Rescuer {
  private readonly options: RescuerOptions;
  private readonly now: () => number;
  private seen = new Map<string, { beat: string; sinceMs: number }>();

  constructor(options: RescuerOptions) {
    this.options = options;
    this.now = options.monotonicMs ?? (() => performance.now());
  }

  async look(): Promise<void> {
    const { db, staleMs } = this.options;
    const beats = await readBeats(db, staleMs / 1_000);
    const nowMs = this.now();
    const next = new Map<string, { beat: string; sinceMs: number }>();
    for (const { id, beat } of beats) {
      const before = this.seen.get(id);
      next.set(id, before?.beat === beat ? before : { beat, sinceMs: nowMs });
    }
    this.seen = next;
    const dead = beats.filter(
      ({ id, stale }) => stale && nowMs - (next.get(id)?.sinceMs ?? nowMs) >= staleMs,
    );
    for (const { id, beat } of dead) await this.takeOver(id, beat);
  }

  private async takeOver(workerId: string, beat: string): Promise<void> {
    const { db, bus, log } = this.options;
    await endSessions(db, workerId);
    const news = await rescueJobs(db, { workerId, lastBeat: beat }, BATCH);
    announce(bus, ...news);
    this.options.onTakeover?.(news.length);
    if (news.length < BATCH) await removeWorker(db, workerId, beat);
    log.warn({ worker: workerId, jobs: news.length }, 'a worker is dead; its jobs are taken over');
  }
}

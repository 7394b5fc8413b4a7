import { performance } from 'node:perf_hooks';
import type { EventBus } from '../../src/events/bus.ts';
import type { Log } from '../../src/lib/log.ts';
import { announce } from '../../src/queue/announce.ts';
import type { Database } from '../../src/repositories/db.ts';
import { attemptsToEnd } from '../../src/repositories/job-cancel.ts';
import { rescueJobs } from '../../src/repositories/workers.ts';
import type { Attempts } from '../attempts.ts';
import type { Beat } from '../beat.ts';
import { stopCancelled } from '../cancel.ts';

interface WatchOptions {
  readonly db: Database;
  readonly bus: EventBus;
  readonly log: Log;
  readonly workerId: string;
  readonly attempts: Attempts;
  readonly beat: Pick<Beat, 'sinceLastMs'>;
  readonly staleMs: number;
}

/** A claim may be committed a moment before it is known here. */
const ORPHAN_AFTER_MS = 10_000;
const BATCH = 500;

/**
 * Keeps this process' attempts and Postgres of one mind: ends those that were cancelled or are no longer its own, and
 * gives back jobs it is written down for but does not run; and ends all of them when its beat does not get through.
 */
export class Watch {
  private readonly options: WatchOptions;
  private orphansSince = new Map<string, number>();
  private gaveUp = false;

  constructor(options: WatchOptions) {
    this.options = options;
  }

  async look(): Promise<void> {
    await this.endAttempts();
    await this.returnOrphans();
  }

  /** Asks nobody, and has a loop of its own: over a half-open link `look` waits a minute for each answer. */
  giveUpWithoutBeat(): void {
    const { beat, staleMs, attempts, log } = this.options;
    const sinceLastMs = Math.round(beat.sinceLastMs());
    const isLate = sinceLastMs >= staleMs * 0.8;
    if (isLate && !this.gaveUp)
      log.warn({ sinceLastMs }, 'the beat does not get through; this worker gives its attempts up');
    this.gaveUp = isLate;
    if (isLate) attempts.stopAll('lost');
  }

  private async endAttempts(): Promise<void> {
    const { db, attempts } = this.options;
    const running = attempts.list();
    if (running.length === 0) return;
    for (const { jobId, delivery, reason } of await attemptsToEnd(db, running)) {
      if (reason === 'cancelled') void stopCancelled(this.options, jobId, delivery);
      else attempts.stop(jobId, delivery, reason);
    }
  }

  private async returnOrphans(): Promise<void> {
    const { db, bus, log, workerId, attempts } = this.options;
    const { rows } = await db.query<{ id: string; delivery: number }>(
      `SELECT id, delivery FROM jobs WHERE worker_id = $1 AND status = 'running'`,
      [workerId],
    );
    const nowMs = performance.now();
    const orphans = rows.filter(({ id, delivery }) => !attempts.has(id, delivery)).map(({ id }) => id);
    this.orphansSince = new Map(orphans.map((id) => [id, this.orphansSince.get(id) ?? nowMs]));
    const old = orphans.filter((id) => nowMs - (this.orphansSince.get(id) ?? nowMs) >= ORPHAN_AFTER_MS);
    if (old.length === 0) return;
    announce(bus, ...(await rescueJobs(db, { workerId, jobIds: old }, BATCH)));
    log.warn(
      { jobs: old.length },
      'jobs that this worker is written down for and does not run are given back',
    );
  }
}

import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import type { Log } from '../src/lib/log.ts';
import { BEAT_SQL, beatValues, type WorkerIdentity } from '../src/repositories/workers.ts';

export interface BeatTimes {
  /** Between two beats */
  readonly beatMs: number;
  /** A beat older than this is stale; a worker that has not beaten for four fifths of it gives its attempts up */
  readonly staleMs: number;
}

export const BEAT_TIMES: BeatTimes = { beatMs: 5_000, staleMs: 15_000 };

export interface Beat {
  /** Resolves with the first beat: jobs are delivered to kinds of live workers only. */
  readonly started: Promise<void>;
  /** Ms since the last beat that Postgres took, on this process' monotonic clock */
  sinceLastMs(): number;
  stop(): Promise<void>;
}

interface BeatOptions {
  readonly databaseUrl: string;
  readonly worker: WorkerIdentity;
  readonly times: BeatTimes;
  readonly log: Log;
}

const TICK_MS = 1_000;

/** Starts the thread that keeps this worker's beat row fresh. */
export function startBeat({ databaseUrl, worker, times, log }: BeatOptions): Beat {
  const ticks = new SharedArrayBuffer(8);
  const mainLoop = new BigInt64Array(ticks);
  const tick = (): void => {
    Atomics.store(mainLoop, 0, BigInt(Date.now()));
  };
  tick();
  const ticking = setInterval(tick, TICK_MS);
  const thread = new Worker(new URL('./beat-thread.mjs', import.meta.url), {
    workerData: {
      databaseUrl,
      applicationName: `millrace-beat-${worker.id}`,
      sql: BEAT_SQL,
      values: beatValues(worker),
      beatMs: times.beatMs,
      ticks,
    },
  });
  let last = performance.now();
  const started = new Promise<void>((resolve) => {
    thread.on('message', () => {
      last = performance.now();
      resolve();
    });
  });
  thread.on('error', (err) => log.error({ err }, 'the beat stopped; this worker will give its attempts up'));
  return {
    started,
    sinceLastMs: () => performance.now() - last,
    async stop() {
      clearInterval(ticking);
      const exited = once(thread, 'exit');
      thread.postMessage('stop');
      await Promise.race([exited, thread.terminate()]);
    },
  };
}

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

/** What the thread is started with. */
export interface BeatThreadData {
  readonly databaseUrl: string;
  readonly applicationName: string;
  /** One statement that is a beat, and its values */
  readonly sql: string;
  readonly values: readonly unknown[];
  readonly beatMs: number;
  /** One 64-bit integer: when the main loop turned last, in ms since 1970 */
  readonly ticks: SharedArrayBuffer;
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
  const workerData: BeatThreadData = {
    databaseUrl,
    applicationName: `millrace-beat-${worker.id}`,
    sql: BEAT_SQL,
    values: beatValues(worker),
    beatMs: times.beatMs,
    ticks,
  };
  // A thread takes its options from the process: the loader for TypeScript is not for it.
  const thread = new Worker(new URL('./beat-thread.mjs', import.meta.url), { workerData, execArgv: [] });
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

import { sleep, toError } from './abort.ts';
import type { Log } from './log.ts';

export interface LoopOptions {
  readonly name: string;
  /** Between the end of one run and the start of the next, in ms; up to a fifth more by chance */
  readonly everyMs: number;
  readonly log: Log;
  run(signal: AbortSignal): Promise<void>;
}

export interface Loop {
  /** Runs again at once, or as soon as the current run has ended. */
  poke(): void;
  /** Resolves when the current run, if any, has ended. */
  stop(): Promise<void>;
}

/** Runs a piece of upkeep again and again. A run that throws is logged, and the loop goes on. */
export function startLoop({ name, everyMs, log, run }: LoopOptions): Loop {
  const stopping = new AbortController();
  // One controller for both reasons to wake: a signal made of two may be collected with its waiter asleep.
  let wake = new AbortController();
  const turning = (async () => {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      try {
        await run(stopping.signal);
      } catch (error) {
        if (!stopping.signal.aborted)
          log.warn({ err: toError(error), loop: name }, 'a loop of upkeep failed; it goes on');
      }
      await sleep(everyMs * (1 + Math.random() / 5), wake.signal);
    }
  })();
  return {
    poke: () => wake.abort(),
    async stop() {
      stopping.abort();
      wake.abort();
      await turning;
    },
  };
}

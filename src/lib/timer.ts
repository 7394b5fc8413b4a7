/** Waiting without promises, for code whose tests turn the clock by hand. */
export interface Timer {
  /** Monotonic, in ms; says nothing about the date */
  now(): number;
  /** Calls `run` once, in `ms` at the earliest. @returns how to call it off, safe at any time */
  after(ms: number, run: () => void): () => void;
}

/** The real one; what waits on it does not keep the process alive. */
export const systemTimer: Timer = {
  now: () => performance.now(),
  after(ms, run) {
    const handle = setTimeout(run, ms);
    handle.unref();
    return () => clearTimeout(handle);
  },
};

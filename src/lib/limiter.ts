/** Runs functions, at most so many at once; the others wait in the order they came. */
export type Limiter = <T>(run: () => Promise<T>) => Promise<T>;

/** The waiting line is as long as its callers make it: one entry each, and each waits for its own. */
export function createLimiter(concurrency: number): Limiter {
  const waiting: (() => void)[] = [];
  let free = concurrency;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      leave();
    }
  };
}

import type { Log } from './log.ts';

/** Why a process cannot start, in words for the person who started it: no stack is shown. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}

/** What an entry has opened once it can work. */
export interface Running {
  readonly log: Log;
  /** Where it answers */
  readonly url: string;
  /** `hurry` fires when somebody asks a second time: nothing is worth waiting for any more */
  close(hurry: AbortSignal): Promise<void>;
}

/** npm hands on a Ctrl-C that the terminal has sent already: a second signal so soon is the first one again. */
const SAME_SIGNAL_MS = 500;

/** Runs a process of ours until SIGTERM, SIGINT, or the end of the process of ours that started it. */
export async function runEntry(start: () => Promise<Running>): Promise<void> {
  const hadParent = process.connected;
  const { log, url, close } = await start().catch(failStart);
  log.info({ url }, 'ready');
  if (process.connected) process.send?.({ type: 'ready', url });
  const hurry = new AbortController();
  let stoppingSinceMs: number | null = null;
  const stop = (signal: string): void => {
    if (stoppingSinceMs !== null) {
      if (signal !== 'disconnect' && performance.now() - stoppingSinceMs > SAME_SIGNAL_MS) hurry.abort();
      return;
    }
    stoppingSinceMs = performance.now();
    log.info({ signal }, 'stopping');
    close(hurry.signal).then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('disconnect', () => stop('disconnect'));
  // It may have gone away while we started.
  if (hadParent && !process.connected) stop('disconnect');
}

/** Tells a person what is wrong, and a developer where. */
export function failStart(error: unknown): never {
  const text =
    error instanceof StartError || !(error instanceof Error) ? String(error) : (error.stack ?? error.message);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

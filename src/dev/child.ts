import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { sleep, withTimeout } from '../lib/abort.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';

/** What a process of ours tells the one that started it, once it can work. */
const readyMessage = z.object({ type: z.literal('ready'), url: z.string() });

interface ChildOptions {
  readonly name: string;
  /** Module to run, from the project's root */
  readonly module: string;
  /** Options of Node itself */
  readonly nodeOptions?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

const START_TIMEOUT_MS = 60_000;
/** SIGTERM first; what is still there after this gets SIGKILL. */
const STOP_TIMEOUT_MS = 3_500;
const RESTART_BACKOFF = { baseMs: 500, maxMs: 10_000 };
/** A process that ran this long before it died starts its backoff anew. */
const HEALTHY_AFTER_MS = 60_000;

/** A process of ours that is started again when it dies. */
export class SupervisedChild {
  private readonly options: ChildOptions;
  private readonly stopping = new AbortController();
  private process: ChildProcess;
  private deaths = 0;
  private readonly watching: Promise<void>;
  /** What it said when it was ready for the first time */
  readonly url: string;

  private constructor(options: ChildOptions, process: ChildProcess, url: string) {
    this.options = options;
    this.process = process;
    this.url = url;
    this.watching = this.watch();
  }

  /** @throws when it dies before it is ready, or is not ready in time */
  static async start(options: ChildOptions): Promise<SupervisedChild> {
    const process = launch(options);
    return new SupervisedChild(options, process, await whenReady(options.name, process));
  }

  /** Of the process that runs just now */
  get pid(): number {
    return this.process.pid ?? -1;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await endProcess(this.process);
    await this.watching;
  }

  private async watch(): Promise<void> {
    const { name, log } = this.options;
    while (!this.stopping.signal.aborted) {
      const sinceMs = Date.now();
      await exitOf(this.process);
      if (this.stopping.signal.aborted) return;
      this.deaths = Date.now() - sinceMs > HEALTHY_AFTER_MS ? 1 : this.deaths + 1;
      const waitMs = backoffMs(RESTART_BACKOFF, this.deaths);
      const { exitCode, signalCode } = this.process;
      log.error({ exitCode, signalCode, waitMs }, `the ${name} process died; it is started again`);
      await sleep(waitMs, this.stopping.signal);
      if (!this.stopping.signal.aborted) this.process = launch(this.options);
    }
  }
}

/** Resolves when the process has ended, also when it has already. */
async function exitOf(child: ChildProcess, signal?: AbortSignal): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit', signal ? { signal } : {});
}

function launch({ module, nodeOptions = [], env }: ChildOptions): ChildProcess {
  const path = fileURLToPath(new URL(`../../${module}`, import.meta.url));
  // An IPC channel: the child hears of our end, also of a SIGKILL, by its disconnect.
  return spawn(process.execPath, [...nodeOptions, '--import', 'tsx', path], {
    env: { ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** The address that it tells when it can work. @throws when it ends before, or does not tell it in time */
async function whenReady(name: string, child: ChildProcess): Promise<string> {
  const signal = withTimeout(START_TIMEOUT_MS);
  const told = new Promise<string>((resolve) => {
    child.on('message', (message) => {
      const parsed = readyMessage.safeParse(message);
      if (parsed.success) resolve(parsed.data.url);
    });
  });
  const died = exitOf(child, signal).then(() => {
    throw new Error(
      `the ${name} process ended before it was ready (${child.signalCode ?? String(child.exitCode)})`,
    );
  });
  try {
    return await Promise.race([told, died]);
  } catch (error) {
    await endProcess(child);
    throw signal.aborted
      ? new Error(`the ${name} process was not ready in ${START_TIMEOUT_MS / 1_000} s`)
      : error;
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exitOf(child);
  clearTimeout(timer);
}

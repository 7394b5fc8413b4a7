import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { currentEnvironment } from '../../src/config.ts';
import { raceAbort } from '../../src/lib/abort.ts';

/** A process of the run's own, to be killed and stopped. */
export interface ChaosProcess {
  readonly pid: number;
  /** Where it answers, as it said when it was ready */
  readonly url: string;
  /** Where it writes, by its file's name */
  readonly log: string;
  /** It ended, and nobody here ended it */
  readonly crashed: boolean;
  kill(signal: NodeJS.Signals): void;
  send(message: object): void;
  /** @returns how to stop listening */
  onMessage(listener: (message: unknown) => void): () => void;
  /** SIGKILL, also when it is stopped, and waits for its end; safe to call twice */
  end(): Promise<void>;
}

export interface ProcessOptions {
  /** From the project's root */
  readonly module: string;
  readonly args?: readonly string[];
  /** Options of Node itself */
  readonly nodeOptions?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where stdout and stderr go */
  readonly logFile: string;
}

const START_TIMEOUT_MS = 90_000;
const readyMessage = z.object({ type: z.literal('ready'), url: z.string() });

/** @throws when it ends before it is ready, or is not ready in time */
export async function startProcess(options: ProcessOptions): Promise<ChaosProcess> {
  const child = await launch(options);
  let ending = false;
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) ending = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const url = await whenReady(child);
    return {
      pid: child.pid ?? -1,
      url,
      log: basename(options.logFile),
      get crashed() {
        return !ending && (child.exitCode !== null || child.signalCode !== null);
      },
      kill: (signal) => void child.kill(signal),
      send: (message) => void (child.connected && child.send(message)),
      onMessage(listener) {
        child.on('message', listener);
        return () => child.off('message', listener);
      },
      end,
    };
  } catch (error) {
    await end();
    throw new Error(`${options.module} did not start; see ${options.logFile}`, { cause: error });
  }
}

async function launch(options: ProcessOptions): Promise<ChildProcess> {
  const { PATH, HOME } = currentEnvironment();
  const path = fileURLToPath(new URL(`../../${options.module}`, import.meta.url));
  const log = await open(options.logFile, 'a');
  try {
    const node = [...(options.nodeOptions ?? []), '--import', 'tsx', path, ...(options.args ?? [])];
    // The IPC channel tells it of our end, also of a SIGKILL.
    return spawn(process.execPath, node, {
      env: { PATH, HOME, ...options.environment },
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
  } finally {
    await log.close();
  }
}

async function whenReady(child: ChildProcess): Promise<string> {
  const told = new Promise<string>((resolve) => {
    child.on('message', (message) => {
      const parsed = readyMessage.safeParse(message);
      if (parsed.success) resolve(parsed.data.url);
    });
  });
  const died = once(child, 'exit').then(([code, signal]: unknown[]) => {
    throw new Error(`it ended before it was ready: ${String(signal ?? code)}`);
  });
  return raceAbort(Promise.race([told, died]), AbortSignal.timeout(START_TIMEOUT_MS));
}

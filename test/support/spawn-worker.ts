import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { currentEnvironment } from '../../src/config.ts';

const readyMessage = z.object({ url: z.string() });

export interface WorkerProcess {
  readonly process: ChildProcess;
  /** Of its /healthz, /readyz and /metrics */
  readonly url: string;
  /** Settles when it has ended, however it did. */
  readonly exited: Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM; what it ended with, and how long it took. */
  stop(): Promise<{ code: number | null; tookMs: number }>;
  /** SIGKILL, also when it is stopped, and waits for its end. */
  end(): Promise<void>;
}

/**
 * A worker in a process of its own, ready for jobs.
 * @param module the test kinds' worker by default; `worker/main.ts` for the real one
 */
export async function spawnWorker(
  environment: Readonly<Record<string, string>>,
  module = 'test/support/worker-process.ts',
  args: readonly string[] = [],
): Promise<WorkerProcess> {
  const { PATH, HOME } = currentEnvironment();
  const path = fileURLToPath(new URL(`../../${module}`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const died = exited.then(([code, signal]: unknown[]) => {
    throw new Error(`the worker process ended before it was ready: ${String(signal ?? code)}`);
  });
  died.catch(() => undefined);
  const [message] = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(60_000) }) as Promise<unknown[]>,
    died,
  ]).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    process: child,
    url: readyMessage.parse(message).url,
    exited: exited.then(() => undefined),
    kill: (signal) => void child.kill(signal),
    async stop() {
      const since = performance.now();
      child.kill('SIGTERM');
      await exited;
      return { code: child.exitCode, tookMs: performance.now() - since };
    },
    async end() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

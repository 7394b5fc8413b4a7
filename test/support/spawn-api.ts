import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { currentEnvironment } from '../../src/config.ts';

export interface ApiProcess {
  readonly process: ChildProcess;
  /** `http://127.0.0.1:…/graphql` */
  readonly graphqlUrl: string;
  /** Resident memory now, in 10^6 bytes; Linux only */
  residentMegabytes(): Promise<number>;
  /** SIGTERM, and waits for the end. @returns its exit code, null after a signal */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits for the end. */
  end(): Promise<void>;
}

/** How long a process may take on a machine that has much else to do; nothing is measured by it. */
const START_TIMEOUT_MS = 90_000;

const ready = z.object({ type: z.literal('ready'), url: z.url() });

/** Options of Node for a process whose resident memory is what it holds. */
export const COLLECTING_GARBAGE = [
  '--expose-gc',
  '--import',
  new URL('collect-garbage.mjs', import.meta.url).href,
];

/**
 * The real API in a process of its own, ready for requests.
 * @param port default: a free one; give the one of a process that ended to start it again
 */
export async function spawnApi(
  environment: Readonly<Record<string, string>>,
  port = 0,
  nodeOptions: readonly string[] = [],
): Promise<ApiProcess> {
  const { PATH, HOME } = currentEnvironment();
  const path = fileURLToPath(new URL('../../src/server.ts', import.meta.url));
  const child = spawn(process.execPath, [...nodeOptions, '--import', 'tsx', path], {
    env: { PATH, HOME, ...environment, PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const died = exited.then(([code]: unknown[]) => {
    throw new Error(`the API process ended before it was ready: ${String(code)}`);
  });
  died.catch(() => undefined);
  const told: unknown[] = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(START_TIMEOUT_MS) }),
    died,
  ]);
  const { url } = ready.parse(told[0]);
  const signalled = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    process: child,
    graphqlUrl: `${url}/graphql`,
    residentMegabytes: () => residentMegabytes(child.pid),
    stop: () => signalled('SIGTERM'),
    end: async () => void (await signalled('SIGKILL')),
  };
}

/** What the kernel says (proc(5), VmRSS). */
async function residentMegabytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return (Number(kilobytes) * 1_024) / 1e6;
}

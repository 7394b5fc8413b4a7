import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { currentEnvironment } from '../../src/config.ts';

/** A process of ours of which every word is kept. */
export interface RecordedProcess extends AsyncDisposable {
  /** All that it wrote until now, to stdout and stderr */
  output(): string;
  /** Settles with its address when it can work; rejects when it ends before. */
  readonly ready: Promise<string>;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
}

const readyMessage = z.object({ type: z.literal('ready'), url: z.string() });

/** @param module such as `src/server.ts` */
export function startRecorded(
  module: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): RecordedProcess {
  const { PATH, HOME } = currentEnvironment();
  const path = fileURLToPath(new URL(`../../${module}`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', path, ...args], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  const output = (): string => chunks.join('');
  // Unlike `exit`, `close` comes after the last word.
  const ended = once(child, 'close').then(() => undefined);
  const ready = Promise.race([
    once(child, 'message').then(([message]: unknown[]) => readyMessage.parse(message).url),
    ended.then(() => Promise.reject(new Error(`it ended before it was ready: ${output()}`))),
  ]);
  ready.catch(() => undefined);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return {
    output,
    ready,
    ended,
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  };
}

import { readConfig } from '../config.ts';
import { createLog } from '../lib/log.ts';
import { startStack, type Stack } from './stack.ts';

interface RunOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What to do with the running stack; the process goes on serving after it when it says so */
  use(stack: Stack): Promise<'serve' | 'stop'>;
}

/** Starts the stack, uses it, and stops everything on Ctrl-C, SIGTERM, or the end of the database. */
export async function runStack({ environment, use }: RunOptions): Promise<void> {
  const config = readConfig(environment);
  const log = createLog({ level: config.logLevel, process: 'dev', format: config.logFormat });
  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
  const stack = await Promise.race([startStack({ config, environment, log }), asked.then(() => null)]);
  if (!stack) process.exit(130);
  const ended = stack.databaseEnded.then(() => 'the database ended');
  const used = use(stack).then((next) => (next === 'stop' ? 'done' : new Promise<never>(() => undefined)));
  try {
    const reason = await Promise.race([asked, ended, used]);
    if (reason === 'the database ended') {
      log.fatal(reason);
      process.exitCode = 1;
    }
  } finally {
    await stack.stop();
  }
  process.exit();
}

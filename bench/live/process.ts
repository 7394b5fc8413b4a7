import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** A part of a benchmark in a process of its own, so that its work is not counted as another's. */
export interface Part {
  readonly pid: number;
  /** Sends a command and waits for the answer. */
  ask(command: object): Promise<unknown>;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 180_000;
const answer = z.object({ answer: z.unknown() });
const commandMessage = z.record(z.string(), z.unknown());

/** @param module beside this file */
export function startPart(module: string, ...args: readonly string[]): Part {
  const path = fileURLToPath(new URL(module, import.meta.url));
  const child: ChildProcess = fork(path, [...args], { execArgv: ['--import', 'tsx'] });
  return {
    pid: child.pid ?? -1,
    async ask(command) {
      const told = once(child, 'message', { signal: AbortSignal.timeout(TIMEOUT_MS) });
      child.send(command);
      const message: unknown[] = await told;
      return answer.parse(message[0]).answer;
    },
    async stop() {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

/** The part's own side: answers each command of the process that started it. */
export function answerCommands(
  handle: (command: Readonly<Record<string, unknown>>) => Promise<unknown>,
): void {
  process.on('message', (message) => {
    void handle(commandMessage.parse(message)).then((result) => process.send?.({ answer: result ?? null }));
  });
  process.on('disconnect', () => process.exit(0));
}

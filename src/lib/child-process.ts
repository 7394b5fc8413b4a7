import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface ChildOptions {
  readonly cwd: string;
  /** All that the program sees of an environment */
  readonly env: Readonly<Record<string, string>>;
  /** Ends the program and all that it started: SIGTERM, and SIGKILL after the grace */
  readonly signal: AbortSignal;
  /** Between SIGTERM and SIGKILL; default 5 s */
  readonly graceMs?: number;
  /** Called for each line of output, cut to 10,000 characters */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

/** How a program ended by itself. */
export interface ChildEnd {
  /** 128 + its number where a signal ended it; 127 where there is no such program */
  readonly code: number;
}

const GRACE_MS = 5_000;
const LINE_LENGTH_MAX = 10_000;

/**
 * Runs the program in a process group of its own. The system closes the pipe however we die: then the whole group gets
 * SIGTERM, and SIGKILL a while later. `trap :` and not `trap ''`, which the program would inherit.
 */
const GROUP = `
exec 3<&0 </dev/null
grace=$1; shift
trap : TERM
"$@" 3<&- &
program=$!
{
  trap : TERM
  read -r _ <&3
  kill -TERM 0
  sleep "$grace"
  kill -KILL 0
} >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$program"; code=$?
while kill -0 "$program" 2>/dev/null; do wait "$program"; code=$?; done
kill -KILL "$watch" 2>/dev/null
exit "$code"
`;

/**
 * Runs a program to its end. Neither it nor what it starts outlives the signal, the end of the call, or this process.
 * @returns how it ended by itself. @throws the signal's reason when that ended it
 */
export async function runChild(
  command: readonly [program: string, ...args: string[]],
  options: ChildOptions,
): Promise<ChildEnd> {
  const { cwd, env, signal, onLine, graceMs = GRACE_MS } = options;
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', GROUP, 'millrace-group', String(graceMs / 1_000), ...command], {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const lines = Promise.all([
    readLines(child.stdout, (line) => onLine?.(line, 'stdout')),
    readLines(child.stderr, (line) => onLine?.(line, 'stderr')),
  ]);
  let killTimer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    killGroup(child, 'SIGTERM');
    killTimer = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await ended;
    // What it left behind in its group would hold the pipes open.
    killGroup(child, 'SIGKILL');
    await lines;
    signal.throwIfAborted();
    return endOf(child);
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener('abort', onAbort);
    child.stdin.destroy();
  }
}

function endOf({ exitCode, signalCode }: ChildProcess): ChildEnd {
  if (exitCode === null) throw new Error(`the program's process group was ended by ${String(signalCode)}`);
  return { code: exitCode };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Nobody is left in the group.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const reader = createInterface({ input: stream });
  reader.on('line', (line) => onLine(line.slice(0, LINE_LENGTH_MAX)));
  await once(reader, 'close');
}

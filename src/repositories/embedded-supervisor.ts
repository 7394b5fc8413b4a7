import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { CHILD_ENVIRONMENT, type Account } from './embedded-account.ts';

/**
 * Ties a server to us: when our end of the pipe closes, and the system closes it however we die, the server gets
 * SIGINT (PostgreSQL's fast shutdown), and SIGKILL 5 s later. The shell has its own process group, so that Ctrl-C
 * reaches us alone and we end the server last; it ends with the server.
 */
const SUPERVISOR = `
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{
  read -r _ <&3
  kill -INT "$server"
  tries=0
  while [ "$tries" -lt 50 ] && kill -0 "$server"; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$server"
} >/dev/null 2>&1 &
watch=$!
exec 3<&-
trap 'kill -INT "$server"' INT TERM HUP
wait "$server"; code=$?
while kill -0 "$server" 2>/dev/null; do wait "$server"; code=$?; done
kill "$watch" 2>/dev/null
exit "$code"
`;

/** Above the supervisor's own 5 s. */
const STOP_TIMEOUT_MS = 7_000;
const LINES_KEPT = 20;

/** A server process that does not outlive us. */
export interface Supervised {
  /** What it said last on stderr */
  readonly lastLines: readonly string[];
  readonly ended: boolean;
  /** Resolves when it has ended, wanted or not */
  readonly exited: Promise<void>;
  /** SIGINT, and SIGKILL after 5 s; safe to call twice */
  stop(): Promise<void>;
}

export interface SuperviseOptions {
  readonly account: Account;
  readonly onLine?: (line: string) => void;
}

/** Starts a server, by its absolute path or by name, with its working directory at the root. */
export function supervise(command: readonly string[], { account, onLine }: SuperviseOptions): Supervised {
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'millrace-supervisor', ...command], {
    ...account,
    cwd: '/',
    env: CHILD_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const lastLines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    onLine?.(line);
    lastLines.push(line);
    if (lastLines.length > LINES_KEPT) lastLines.shift();
  });
  const exited = once(child, 'close').then(() => undefined);
  return {
    lastLines,
    get ended() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    exited,
    stop: () => stopChild(child, exited),
  };
}

async function stopChild(child: ChildProcess, exited: Promise<void>): Promise<void> {
  child.stdin?.destroy();
  const late = setTimeout(() => {
    // The supervisor is stuck or was killed: the whole process group goes.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  }, STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(late);
}

/** Bound to 0, read and let go: another process may take it before the server does, and then the start fails. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}

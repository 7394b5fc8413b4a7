import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../lib/abort.ts';
import type { Log } from '../lib/log.ts';
import { CHILD_ENVIRONMENT } from './embedded-account.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';

const FAST_SHUTDOWN_MS = 5_000;
const POLL_MS = 20;
const COMMAND_TIMEOUT_MS = 5_000;

/**
 * Clears the way for a start: the server of a process that is gone is stopped, and the lock file of one that died
 * with its machine is removed, since its number may belong to any process by now.
 * @throws EmbeddedPostgresError when a living process uses the cluster
 */
export async function clearOrphan(home: string, clusterFolder: string, log: Log): Promise<void> {
  const lockFile = join(clusterFolder, 'postmaster.pid');
  const server = await firstNumber(lockFile);
  if (server === null) return;
  if (!(await isServerOf(server, clusterFolder))) {
    log.info({ lockFile }, 'removing the lock file of a PostgreSQL that is gone');
    await rm(lockFile, { force: true });
    return;
  }
  const owner = await firstNumber(ownerFile(home));
  // Our own number may stand there from an earlier process: containers count from 1 again.
  const inUse = owner === process.pid ? homesInUse.has(home) : owner !== null && isAlive(owner);
  if (inUse) {
    throw new EmbeddedPostgresError(
      `The database in ${home} is in use by process ${owner}; stop it, or set MILLRACE_DATA_DIR to another folder`,
    );
  }
  log.warn({ pid: server }, 'stopping the PostgreSQL that an earlier process left behind');
  await stopServer(server);
}

/** Homes whose server this very process runs. */
const homesInUse = new Set<string>();

/** Notes that this process runs the cluster's server. */
export async function claimHome(home: string): Promise<void> {
  homesInUse.add(home);
  await writeFile(ownerFile(home), `${process.pid}\n`);
}

export async function releaseHome(home: string): Promise<void> {
  homesInUse.delete(home);
  await rm(ownerFile(home), { force: true });
}

function ownerFile(home: string): string {
  return join(home, 'owner.pid');
}

async function firstNumber(path: string): Promise<number | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const number = Number.parseInt(text, 10);
  return Number.isInteger(number) && number > 0 ? number : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and is another account's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether the process is a server started on this cluster: a number alone may have been given to another process. */
async function isServerOf(pid: number, clusterFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const command = await commandLine(pid);
  return command.includes('postgres') && command.includes(clusterFolder);
}

/** Linux tells by /proc, where `ps` is often not installed; other systems have `ps`. */
async function commandLine(pid: number): Promise<string> {
  const listed = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  if (listed !== null) return listed.replaceAll('\0', ' ');
  const options = { env: CHILD_ENVIRONMENT, timeout: COMMAND_TIMEOUT_MS };
  const shown = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)], options).catch(
    () => null,
  );
  return shown?.stdout ?? '';
}

/** SIGINT is PostgreSQL's fast shutdown: sessions end, data is flushed. */
async function stopServer(pid: number): Promise<void> {
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + FAST_SHUTDOWN_MS;
  while (isAlive(pid) && Date.now() < deadline) await sleep(POLL_MS);
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGKILL');
  while (isAlive(pid) && Date.now() < deadline + FAST_SHUTDOWN_MS) await sleep(POLL_MS);
}

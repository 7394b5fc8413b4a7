import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Who runs the server; null: we ourselves. */
export type Account = { readonly uid: number; readonly gid: number } | null;

/** Children of ours get this and nothing of our own environment: PGDATA or PGHOST must not reach them. */
export const CHILD_ENVIRONMENT = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

/** uid and gid of `nobody` where the system has no such name: the value nearly all of them use. */
const NOBODY = 65_534;
const COMMAND_TIMEOUT_MS = 5_000;

/**
 * PostgreSQL refuses to run as root: there it runs as the owner of the data that exists already, else as `nobody`,
 * which every system has, so that no account is made.
 * @param clusterHome folder of an existing cluster, or where one will be
 */
export async function serverAccount(clusterHome: string): Promise<Account> {
  if (process.getuid?.() !== 0) return null;
  const existing = await stat(clusterHome).catch(() => null);
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  const [uid, gid] = await Promise.all([idOf('-u'), idOf('-g')]);
  return { uid, gid };
}

async function idOf(flag: '-u' | '-g'): Promise<number> {
  const options = { env: CHILD_ENVIRONMENT, timeout: COMMAND_TIMEOUT_MS };
  const found = await promisify(execFile)('id', [flag, 'nobody'], options).catch(() => null);
  const id = Number.parseInt(found?.stdout ?? '', 10);
  return Number.isInteger(id) && id > 0 ? id : NOBODY;
}

/** What an account must be able to do with a path, in `test`'s letters. */
export type Access = '-r' | '-w' | '-x';

/**
 * Asks the system itself, as that account: mode bits alone do not tell of the folders above, ACLs or read-only mounts.
 */
export async function canAccess(
  account: Account,
  wanted: readonly (readonly [Access, string])[],
): Promise<boolean> {
  const script = 'while [ $# -gt 1 ]; do test "$1" "$2" || exit 1; shift 2; done';
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...wanted.flat()], {
    ...account,
    cwd: '/',
    env: CHILD_ENVIRONMENT,
    stdio: 'ignore',
    timeout: COMMAND_TIMEOUT_MS,
  });
  const closed: unknown[] = await once(child, 'close');
  return closed[0] === 0;
}

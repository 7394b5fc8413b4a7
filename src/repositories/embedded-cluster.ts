import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chown, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { CHILD_ENVIRONMENT } from './embedded-account.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import type { Place } from './embedded-place.ts';

/** Superuser of the cluster, and its only account. */
export const SUPERUSER = 'millrace';
const INITDB_TIMEOUT_MS = 60_000;

export interface Cluster {
  /** PGDATA */
  readonly folder: string;
  readonly password: string;
}

/** The cluster of a place, made first when there is none. */
export async function ensureCluster(place: Place): Promise<Cluster> {
  const folder = join(place.home, 'data');
  const password = await ensurePassword(place);
  const made = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => null);
  if (made === null) await initialise(place, folder);
  else assertSameMajor(place, made.trim());
  return { folder, password };
}

function assertSameMajor(place: Place, made: string): void {
  const major = place.binaries.version.split('.')[0];
  if (made === major) return;
  throw new EmbeddedPostgresError(
    `The database in ${place.home} was made by PostgreSQL ${made} and this one is ${major}; ` +
      'dump it with the older version of Millrace, or set MILLRACE_DATA_DIR to another folder',
  );
}

/** Random, and kept beside the cluster for the next start; readable for the server's account alone. */
async function ensurePassword(place: Place): Promise<string> {
  const path = join(place.home, 'password');
  const fresh = randomBytes(24).toString('base64url');
  try {
    await writeFile(path, `${fresh}\n`, { mode: 0o600, flag: 'wx' });
    if (place.account) await chown(path, place.account.uid, place.account.gid);
    return fresh;
  } catch {
    return (await readFile(path, 'utf8')).trim();
  }
}

/** Under another name until it is whole: a process that dies in the middle leaves no half cluster behind. */
async function initialise(place: Place, folder: string): Promise<void> {
  const partial = `${folder}.${randomUUID()}`;
  try {
    await initdb(place, partial);
    await rename(partial, folder).catch(async (error: unknown) => {
      // Another process made the cluster meanwhile: theirs counts.
      if (!(await stat(folder).catch(() => null))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function initdb(place: Place, folder: string): Promise<void> {
  const options = [
    `--pgdata=${folder}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${join(place.home, 'password')}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order and case rules on every system; pg_trgm asks LC_CTYPE what a letter is.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    `--lc-ctype=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`,
  ];
  try {
    await promisify(execFile)(join(place.binaries.folder, 'bin', 'initdb'), options, {
      ...place.account,
      cwd: '/',
      env: CHILD_ENVIRONMENT,
      timeout: INITDB_TIMEOUT_MS,
    });
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL could not make its data folder: ${reason(error)}`,
      {
        cause: error,
      },
    );
  }
}

const failedCommand = z.object({ stderr: z.string() });

function reason(error: unknown): string {
  const failed = failedCommand.safeParse(error);
  if (failed.success && failed.data.stderr.trim()) return failed.data.stderr.trim().slice(-1_000);
  return error instanceof Error ? error.message : String(error);
}

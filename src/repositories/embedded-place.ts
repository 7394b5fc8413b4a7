import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { canAccess, serverAccount, type Account } from './embedded-account.ts';
import { findBinaries, linkLibraries, stageBinaries, type Binaries } from './embedded-binaries.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';

/** Where one cluster lives and what runs it. */
export interface Place {
  readonly binaries: Binaries;
  readonly account: Account;
  /** Ours to fill: the cluster (`data`), its password, who uses it. Owned by the account, 0700 */
  readonly home: string;
}

/** Folders that any account can reach, the lasting ones first; only the first that can be used is. */
export const STAGING_ROOTS: readonly string[] = [
  '/var/lib/millrace',
  '/var/tmp/millrace',
  join(tmpdir(), 'millrace'),
];

/**
 * In place (node_modules and `<dataDir>/postgres`) wherever the account can read and write there. As root with a
 * checkout that the server's account cannot reach, such as one under a 0700 home, both are staged outside it; a
 * pointer file in the data folder says where, and is followed at the next start.
 */
export async function choosePlace(
  dataDir: string,
  stagingRoots: readonly string[] = STAGING_ROOTS,
): Promise<Place> {
  await mkdir(dataDir, { recursive: true });
  const home = await locateHome(dataDir, stagingRoots);
  const binaries = await usableBinaries(home.account, stagingRoots);
  return { ...home, binaries };
}

type Home = Pick<Place, 'account' | 'home'>;

async function locateHome(dataDir: string, stagingRoots: readonly string[]): Promise<Home> {
  const pointer = join(dataDir, 'postgres.location');
  const pointed = (await readFile(pointer, 'utf8').catch(() => '')).split('\n', 1)[0] ?? '';
  if (isAbsolute(pointed)) return prepareHome(pointed);

  const inPlace = join(dataDir, 'postgres');
  const account = await serverAccount(inPlace);
  if (!account || (await canAccess(account, [['-x', dataDir]]))) return prepareHome(inPlace);

  const root = await stagingRoot(account, stagingRoots);
  const name = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex')
    .slice(0, 16);
  const home = join(root, name);
  await moveCluster(inPlace, home);
  const prepared = await prepareHome(home);
  await writeFile(
    pointer,
    `${home}\nholds this folder's database: the account that runs it cannot read here\n`,
  );
  return prepared;
}

/** A cluster from the time when the account could still read here goes along: its data must not seem lost. */
async function moveCluster(from: string, to: string): Promise<void> {
  if (!(await lstat(from).catch(() => null))) return;
  await rename(from, to).catch((error: unknown) => {
    throw new EmbeddedPostgresError(
      `The account that runs the database cannot read ${from} any more; move that folder to ${to}, owner included`,
      { cause: error },
    );
  });
}

async function prepareHome(home: string): Promise<Home> {
  const account = await serverAccount(home);
  await mkdir(home, { recursive: true });
  if (account) {
    await chown(home, account.uid, account.gid);
    await chmod(home, 0o700);
  } else if ((await lstat(home)).uid !== process.getuid?.()) {
    throw new EmbeddedPostgresError(
      `The database in ${home} belongs to another account; start Millrace as that account, or set MILLRACE_DATA_DIR`,
    );
  }
  return { account, home };
}

async function usableBinaries(account: Account, stagingRoots: readonly string[]): Promise<Binaries> {
  const binaries = await findBinaries();
  const linked = await linkLibraries(binaries.folder);
  if (linked && (await canAccess(account, readable(binaries.folder)))) return binaries;
  return stageBinaries(binaries, await stagingRoot(account, stagingRoots));
}

/** One path per folder of a PostgreSQL: enough to know that an account can run it. */
function readable(folder: string): (readonly ['-r' | '-x', string])[] {
  return [
    ['-x', join(folder, 'bin', 'postgres')],
    ['-r', join(folder, 'share', 'postgresql', 'postgres.bki')],
    ['-x', join(folder, 'lib', 'postgresql')],
  ];
}

/** The first folder that is ours alone to write, and that the account can reach. */
async function stagingRoot(account: Account, candidates: readonly string[]): Promise<string> {
  for (const candidate of candidates) {
    if ((await ownFolder(candidate)) && (await canAccess(account, [['-x', candidate]]))) return candidate;
  }
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL needs a folder that ${account ? `account ${account.uid}` : 'this account'} can read, ` +
      `and none of ${candidates.join(', ')} can be used; set DATABASE_URL`,
  );
}

/** Makes it when missing. A folder (or link) that somebody else owns could hand us their binaries. */
async function ownFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
    const found = await lstat(path);
    const ours = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
    if (ours) await chmod(path, 0o755);
    return ours;
  } catch {
    return false;
  }
}

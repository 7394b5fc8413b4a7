import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHILD_ENVIRONMENT } from '../../src/repositories/embedded-account.ts';
import { findBinaries } from '../../src/repositories/embedded-binaries.ts';
import { choosePlace } from '../../src/repositories/embedded-place.ts';
import { freePort } from '../../src/repositories/embedded-supervisor.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/repositories/embedded.ts';
import { silentLog } from '../support/log.ts';
import { waitFor } from '../support/wait.ts';

describe('the embedded PostgreSQL', () => {
  let dataDir: string;
  let running: EmbeddedPostgres[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'millrace-embedded-'));
    await chmod(dataDir, 0o755);
  });
  afterEach(async () => {
    await Promise.all(running.map((postgres) => postgres.stop()));
    running = [];
    await rm(dataDir, { recursive: true, force: true });
  });

  async function start(durable = false, port?: number): Promise<EmbeddedPostgres> {
    const postgres = await startEmbeddedPostgres({
      dataDir,
      durable,
      log: silentLog,
      ...(port ? { port } : {}),
    });
    running.push(postgres);
    return postgres;
  }

  it('keeps its data from one start to the next', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('comes back at the same address where it is told to', async () => {
    const first = await start();
    await first.stop();
    const second = await start(false, Number(new URL(first.url).port));
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('writes to disk unless a test says that it need not', async () => {
    const postgres = await start(true);
    const settings = await query(
      postgres.url,
      "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('max_connections') AS max",
    );
    expect(settings).toEqual([{ fsync: 'on', commit: 'on', max: '200' }]);
  });

  it('knows the letters of every language, on every system', async () => {
    const { url } = await start();
    await query(url, 'CREATE EXTENSION pg_trgm');
    expect(await query(url, "SELECT lower('ÄÉß') AS lower, show_trgm('ä') <> '{}' AS trigrams")).toEqual([
      { lower: 'äéß', trigrams: true },
    ]);
  });

  it('lets nobody in without the password', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('tells the second process that wants the same folder who has it', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(`in use by process ${process.pid}`);
    expect(await query(first.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  });

  it('tells when the server ends, wanted or not', async () => {
    const postgres = await start();
    const [pid] = await lockFile();
    process.kill(Number(pid), 'SIGKILL');
    await postgres.exited;
    await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow();
  });

  it('starts again after the machine died and another process got the number in the lock file', async () => {
    await (await start()).stop();
    await writeFile(
      join(dataDir, 'postgres', 'data', 'postmaster.pid'),
      `${process.pid}\n${dataDir}\n0\n5432\n`,
    );
    const postgres = await start();
    expect(await query(postgres.url, 'SELECT 1 AS alive')).toEqual([{ alive: 1 }]);
  });

  it('stops a server that an earlier process left behind, and goes on with its data', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const orphan = await startOrphan();

    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await orphan.ended;
  });

  it('refuses data of another major version, and says what to do', async () => {
    await (await start()).stop();
    await writeFile(join(dataDir, 'postgres', 'data', 'PG_VERSION'), '9\n');
    await expect(start()).rejects.toThrow('was made by PostgreSQL 9 and this one is 18');
  });

  it('names DATABASE_URL where there are no binaries for the platform', async () => {
    await expect(findBinaries('sunos', 'x64')).rejects.toThrow(
      /no embedded PostgreSQL for sunos-x64.*DATABASE_URL/,
    );
  });

  async function lockFile(): Promise<string[]> {
    return (await readFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n');
  }

  /** The same cluster's server, started past everything that ends it. */
  async function startOrphan(): Promise<{ ended: Promise<unknown> }> {
    const home = join(dataDir, 'postgres');
    const { binaries, account } = await choosePlace(dataDir);
    const settings = ['-c', `port=${await freePort()}`, '-c', 'unix_socket_directories='];
    const child = spawn(join(binaries.folder, 'bin', 'postgres'), ['-D', join(home, 'data'), ...settings], {
      ...account,
      cwd: '/',
      env: CHILD_ENVIRONMENT,
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    await waitFor(async () => (await lockFile())[7]?.trim() === 'ready');
    return { ended };
  }
});

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
    await client.end();
  }
}

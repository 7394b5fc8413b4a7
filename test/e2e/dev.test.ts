import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentEnvironment } from '../../src/config.ts';
import { createClient, type GetDashboardQuery, type MillraceClient } from '../../src/sdk/index.ts';
import { waitFor } from '../support/wait.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readyLine = z.object({ graphql: z.url(), ws: z.url(), web: z.url(), token: z.string().min(20) });
type Ready = z.infer<typeof readyLine>;

const FIRST_START_MS = 60_000;
const WARM_START_MS = 40_000;
const STOP_MS = 5_000;
/** Promised: a minute on a machine that does nothing else. */
const FILLED_MS = 120_000;

interface Dev {
  readonly process: ChildProcess;
  readonly ready: Ready;
  readonly tookMs: number;
}

describe('npm run dev', () => {
  let dataDir: string;
  const started: ChildProcess[] = [];
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'millrace-dev-'));
    // As a checkout's folder is, so that nothing has to be staged elsewhere.
    await chmod(dataDir, 0o755);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map(stop));
  });
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  const start = async (): Promise<Dev> => {
    const startedAt = Date.now();
    const child = spawn('npm', ['run', '--silent', 'dev'], {
      cwd: root,
      env: {
        ...currentEnvironment(),
        // As in a shell that says nothing of it: the tests' own mode has no demo accounts.
        NODE_ENV: '',
        PORT: '0',
        HEALTH_PORT: '0',
        MILLRACE_DATA_DIR: dataDir,
        LOG_LEVEL: 'warn',
        REDIS_URL: '',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('ready ')) continue;
      const ready = readyLine.parse(JSON.parse(line.slice('ready '.length)));
      return { process: child, ready, tookMs: Date.now() - startedAt };
    }
    throw new Error('it ended before it was ready');
  };

  it(
    'is ready in time, stops in time, leaves nothing behind, and finds its data again',
    { timeout: 400_000 },
    async () => {
      const first = await start();
      expect(first.tookMs).toBeLessThan(FIRST_START_MS);
      const { graphql: url, token, web, ws } = first.ready;
      expect(ws).toBe(url.replace('http', 'ws'));
      expect((await fetch(web)).status).toBe(200);
      const client = createClient({ url, token });
      const uploadId = await client.uploadFile(
        Buffer.from('handle,title,sku,price\ncup,Cup,CUP-1,4.50\n'),
        'cup.csv',
      );
      const { job } = await client.jobs.start.productImport({ source: { uploadId } });
      for await (const event of client.jobs.watch(job.id)) expect(event.status).not.toBe('FAILED');
      await everyPanelIsReady(client);

      const family = await descendants(first.process.pid);
      expect(family.length).toBeGreaterThanOrEqual(3);
      const stoppedAt = Date.now();
      first.process.kill('SIGINT');
      await once(first.process, 'exit');
      expect(Date.now() - stoppedAt).toBeLessThan(STOP_MS);
      await waitFor(async () => (await Promise.all(family.map(isAlive))).every((alive) => !alive), {
        timeoutMs: STOP_MS,
      });

      const second = await start();
      expect(second.tookMs).toBeLessThan(WARM_START_MS);
      const again = createClient({ url: second.ready.graphql, token: second.ready.token });
      expect(second.ready.token).toBe(token);
      expect((await again.jobs.get(job.id))?.status).toBe('COMPLETED');
      expect((await again.products({})).totalCount).toBe(1);
      await everyPanelIsReady(again);
    },
  );

  it('starts a process again that dies', { timeout: 60_000 }, async () => {
    const { process: dev, ready } = await start();
    const client = createClient({ url: ready.graphql, token: ready.token });
    const victim = await findProcess(dev.pid, 'worker/main.ts');
    process.kill(victim, 'SIGKILL');
    await waitFor(async () => (await findProcess(dev.pid, 'worker/main.ts').catch(() => victim)) !== victim, {
      timeoutMs: 20_000,
    });
    const uploadId = await client.uploadFile(Buffer.from('handle,title\nbowl,Bowl\n'), 'bowl.csv');
    const { job } = await client.jobs.start.productImport({ source: { uploadId } });
    let last = '';
    for await (const event of client.jobs.watch(job.id)) last = event.status;
    expect(last).toBe('COMPLETED');
  });
});

/** Every panel, from accounts that say that they are made up. */
async function everyPanelIsReady(client: MillraceClient): Promise<void> {
  await waitFor(async () => panelsOf(await client.dashboard()).every((panel) => panel?.state === 'READY'), {
    timeoutMs: FILLED_MS,
  });
  for (const panel of panelsOf(await client.dashboard())) {
    const label: unknown = expect.stringMatching(/^Demo .*\(made-up figures\)$/);
    expect(panel?.sources).toMatchObject([{ label, included: true, failure: null }]);
  }
}

function panelsOf({ revenue, traffic, ads, social, email, support }: GetDashboardQuery['dashboard']) {
  return [revenue, traffic, ads, social, email, support];
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Every process that has `pid` among its ancestors: Linux tells it in /proc. */
async function descendants(pid: number | undefined): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // The name in parentheses may hold spaces; the parent is the second field after it.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    parents.set(Number(entry), parent);
  }
  const found = new Set<number>([pid ?? -1]);
  for (let grew = true; grew;) {
    grew = false;
    for (const [child, parent] of parents) {
      if (found.has(parent) && !found.has(child)) grew = Boolean(found.add(child));
    }
  }
  return [...found];
}

async function findProcess(ancestor: number | undefined, module: string): Promise<number> {
  for (const pid of await descendants(ancestor)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(module) && command.startsWith(process.execPath)) return pid;
  }
  throw new Error(`no process runs ${module}`);
}

async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

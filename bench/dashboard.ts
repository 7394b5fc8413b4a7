import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createClient, GetDashboardDocument } from '../src/sdk/index.ts';
import { addDays, dateIn, type Period } from '../src/domain/period.ts';
import { PANEL_KEYS, type PanelKey } from '../src/domain/panel.ts';
import { createLog } from '../src/lib/log.ts';
import { insertApiKey } from '../src/repositories/api-keys.ts';
import { openDatabase, type Database } from '../src/repositories/db.ts';
import { startEmbeddedPostgres } from '../src/repositories/embedded.ts';
import { migrate } from '../src/repositories/migrate.ts';
import { adsSums } from '../src/repositories/panel-ads.ts';
import { emailSums } from '../src/repositories/panel-email.ts';
import { revenueSums } from '../src/repositories/panel-revenue.ts';
import { socialAccountDays } from '../src/repositories/panel-social.ts';
import { supportSums } from '../src/repositories/panel-support.ts';
import { trafficSums } from '../src/repositories/panel-traffic.ts';
import { createOrganization } from '../test/support/organization.ts';
import { spawnApi, type ApiProcess } from '../test/support/spawn-api.ts';
import { seedFacts } from './dashboard-seed.ts';

const log = createLog({ level: 'error', process: 'bench' });

const BASELINE_FACTS = 100_000;
const ROUNDS = 200;
const WARM_UPS = 30;
const DEADLINE_MS = 2_000;
const GOAL = { ratioMax: { 365: 4, 30: 3 }, growthMax: 1.2, overDeadlineMs: 20 };

/**
 * What does the dashboard cost, over 12 months and over 30 days, behind 100 thousand facts and behind many more, asked
 * over HTTP of an API in a process of its own? Beside it, in the same run: the six reads of the rollups alone, in
 * parallel, by the same statements, from this process. And how late is the answer when one panel's rollup cannot be read?
 * @param args `--facts` and their number (default 1,000,000; 10,000,000 takes some minutes and 6 GB to make)
 */
export async function run(args: readonly string[]): Promise<void> {
  const facts = Number(args[args.indexOf('--facts') + 1] ?? 1_000_000) || 1_000_000;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'pg'), durable: true, log });
  const sites: Site[] = [];
  try {
    for (const count of [BASELINE_FACTS, facts]) sites.push(await openSite(postgres.url, folder, count));
    const [small, large] = sites;
    if (small && large) {
      await Promise.all([small.check(), large.check()]);
      for (const days of [365, 30] as const) await compare(small, large, days);
      await withDeadSource(large);
    }
  } finally {
    for (const site of sites) await site.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Site {
  readonly facts: number;
  /** @throws when a panel has no figures: what is measured would be less than the dashboard */
  check(): Promise<void>;
  readonly url: string;
  /** @returns ms until the whole answer was there */
  ask(days: number): Promise<number>;
  /** @returns ms until the six reads had answered */
  read(days: number): Promise<number>;
  close(): Promise<void>;
}

async function openSite(serverUrl: string, folder: string, facts: number): Promise<Site> {
  const startedAt = performance.now();
  const url = await createDatabase(serverUrl, `facts_${facts}`);
  await migrate({ url, bullmq: true, log });
  const db = openDatabase({
    url,
    applicationName: 'bench',
    connectionsMax: 10,
    statementTimeoutMs: 60_000,
    log,
  });
  const organization = await createOrganization(db, { timeZone: 'UTC' });
  const accounts = await seedFacts(url, organization.id, facts);
  const key = { organizationId: organization.id, userId: null, name: 'bench', role: 'viewer' } as const;
  const { token } = await insertApiKey(db, key);
  const api = await spawnApi({
    NODE_ENV: 'production',
    DATABASE_URL: url,
    MILLRACE_DATA_DIR: join(folder, `data-${facts}`),
    LOG_LEVEL: 'error',
    // What is measured is the way of a request, not a refusal.
    LIMIT_POINTS_PER_SECOND: '1000000',
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`${facts.toLocaleString('en')} facts made in ${seconds} s`);
  const agent = new Agent({ keepAlive: true });
  return {
    facts,
    url,
    check: () => checkPanels(api, token),
    ask: (days) => ask(api, agent, token, days),
    read: (days) => readAlone(db, organization.id, accounts, lastDays(days)),
    async close() {
      agent.destroy();
      await api.stop();
      await db.close();
    },
  };
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function lastDays(days: number): Period {
  const to = dateIn('UTC', new Date());
  return { from: addDays(to, 1 - days), to };
}

async function checkPanels({ graphqlUrl }: ApiProcess, token: string): Promise<void> {
  const client = createClient({ url: graphqlUrl, token });
  const dashboard = await client.dashboard({ days: 365 });
  await client.close();
  for (const panel of PANEL_KEYS) {
    const state = dashboard[panel]?.state;
    if (state !== 'READY')
      throw new Error(`the ${panel} panel is ${state}, and its figures would be missing`);
  }
}

async function ask({ graphqlUrl }: ApiProcess, agent: Agent, token: string, days: number): Promise<number> {
  const body = JSON.stringify({ query: GetDashboardDocument.toString(), variables: { period: { days } } });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    authorization: `Bearer ${token}`,
  };
  const startedAt = performance.now();
  const text = await new Promise<string>((resolve, reject) => {
    const sent = request(graphqlUrl, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    sent.on('error', reject);
    sent.end(body);
  });
  const took = performance.now() - startedAt;
  if (!text.startsWith('{"data":{')) throw new Error(text.slice(0, 500));
  return took;
}

/** The statements of the panels and nothing else: no sources, no folding, no GraphQL. */
async function readAlone(
  db: Database,
  organizationId: string,
  accounts: Readonly<Record<PanelKey, string>>,
  period: Period,
): Promise<number> {
  const scope = (panel: PanelKey) => ({ organizationId, connectionIds: [accounts[panel]], ...period });
  const startedAt = performance.now();
  await Promise.all([
    revenueSums(db, scope('revenue')),
    trafficSums(db, scope('traffic')),
    adsSums(db, scope('ads')),
    socialAccountDays(db, scope('social')),
    emailSums(db, scope('email')),
    supportSums(db, scope('support')),
  ]);
  return performance.now() - startedAt;
}

async function compare(small: Site, large: Site, days: 365 | 30): Promise<void> {
  const times = { alone: [] as number[], small: [] as number[], large: [] as number[] };
  for (let round = 0; round < WARM_UPS + ROUNDS; round += 1) {
    const took = {
      alone: await large.read(days),
      small: await small.ask(days),
      large: await large.ask(days),
    };
    if (round < WARM_UPS) continue;
    times.alone.push(took.alone);
    times.small.push(took.small);
    times.large.push(took.large);
  }
  const p95 = {
    alone: quantile(times.alone, 0.95),
    small: quantile(times.small, 0.95),
    large: quantile(times.large, 0.95),
  };
  const p50 = {
    alone: quantile(times.alone, 0.5),
    small: quantile(times.small, 0.5),
    large: quantile(times.large, 0.5),
  };
  const [ratio, growth] = [p95.large / p95.alone, p95.large / p95.small];
  console.log(
    `dashboard over ${days} days, ms (load ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores):`,
  );
  console.table({
    'six reads alone': { p50: round2(p50.alone), p95: round2(p95.alone) },
    [`behind ${small.facts.toLocaleString('en')} facts`]: { p50: round2(p50.small), p95: round2(p95.small) },
    [`behind ${large.facts.toLocaleString('en')} facts`]: { p50: round2(p50.large), p95: round2(p95.large) },
  });
  console.log(
    `ratio p95 ${ratio.toFixed(2)} (p50 ${(p50.large / p50.alone).toFixed(2)}; goal: at most ${GOAL.ratioMax[days]}), ` +
      `growth p95 ${growth.toFixed(2)} (p50 ${(p50.large / p50.small).toFixed(2)}; goal: at most ${GOAL.growthMax})`,
  );
}

/** The rollup of one panel is locked away: its read hangs, as one of a dead database would. */
async function withDeadSource(site: Site): Promise<void> {
  const client = new pg.Client({ connectionString: site.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE traffic_days IN ACCESS EXCLUSIVE MODE');
  const times: number[] = [];
  for (let index = 0; index < 4; index += 1) times.push(await site.ask(365));
  await client.query('ROLLBACK');
  await client.end();
  const [first, second, third, spared] = times.map((ms) => ms.toFixed(0));
  const over = Math.max(...times) - DEADLINE_MS;
  console.log(
    `with a dead source: ${first}, ${second}, ${third} ms, and ${spared} ms once it is left alone; ` +
      `${over.toFixed(0)} ms over the deadline at most (goal: ${GOAL.overDeadlineMs})`,
  );
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createApp, type App } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { jobCatalogue } from '../src/jobs/index.ts';
import { createLog } from '../src/lib/log.ts';
import { insertApiKey } from '../src/repositories/api-keys.ts';
import { startEmbeddedPostgres } from '../src/repositories/embedded.ts';
import { migrate } from '../src/repositories/migrate.ts';
import { createOrganization } from '../test/support/organization.ts';
import { seedManyJobs } from './job-lists-seed.ts';

const log = createLog({ level: 'warn', process: 'bench' });

const BASELINE_ROWS = 100_000;
const ROUNDS = 100;
const WARMUPS = 5;
const GOAL = { ratioMax: 1.2, searchMsMax: 100 };

const LIST = `query ($filter: JobFilter) { jobs(first: 50, filter: $filter) {
  pageInfo { hasNextPage endCursor } edges { node { id kind status queue triggeredBy createdAt progressPercent } } } }`;
const TOTAL = 'query ($filter: JobFilter) { jobs(first: 1, filter: $filter) { totalCount } }';
const COUNTS = `query ($filter: JobFilter) { jobCounts(filter: $filter) {
  pending running completed completedWithWarnings failed cancelled total } }`;

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

/** What is asked, by name; those that begin with "search" are held against a time, the others against the baseline. */
const QUESTIONS: Readonly<Record<string, { readonly query: string; readonly filter: object }>> = {
  'jobs, no filter': { query: LIST, filter: {} },
  'kinds, one': { query: LIST, filter: { kinds: ['BULK_OPERATION'] } },
  'statuses, frequent': { query: LIST, filter: { statuses: ['FAILED', 'CANCELLED'] } },
  'statuses, rare': { query: LIST, filter: { statuses: ['PENDING'] } },
  'queues, all jobs': { query: LIST, filter: { queues: ['long_running'] } },
  'queues, no job': { query: LIST, filter: { queues: ['scheduled'] } },
  'triggeredBy, half': { query: LIST, filter: { triggeredBy: 'schedule:nightly' } },
  'triggeredBy, 3 jobs': { query: LIST, filter: { triggeredBy: 'manual:rare@example.com' } },
  'triggeredBy + statuses': { query: LIST, filter: { triggeredBy: 'api:shop', statuses: ['RUNNING'] } },
  createdBefore: { query: LIST, filter: { createdBefore: daysAgo(45) } },
  'created within a day': { query: LIST, filter: { createdAfter: daysAgo(46), createdBefore: daysAgo(45) } },
  'created + statuses': {
    query: LIST,
    filter: { createdAfter: daysAgo(46), createdBefore: daysAgo(45), statuses: ['FAILED'] },
  },
  'parentId, none': { query: LIST, filter: { parentId: 'job_01h455vb4pex5vsknk084sn02q' } },
  'totalCount, all': { query: TOTAL, filter: {} },
  'totalCount, statuses': { query: TOTAL, filter: { statuses: ['FAILED'] } },
  'jobCounts, all': { query: COUNTS, filter: {} },
  'jobCounts, kind': { query: COUNTS, filter: { kinds: ['BULK_OPERATION'] } },
  'search, in a third': { query: LIST, filter: { search: 'nightly feed' } },
  'search, in 1 of 400': { query: LIST, filter: { search: 'cotton' } },
  'search, in 1 of 5,000': { query: LIST, filter: { search: 'blue widget' } },
  'search, 3 jobs': { query: LIST, filter: { search: 'zanzibar' } },
  'search, a file name': { query: LIST, filter: { search: 'products-4711.csv' } },
  'search, only in old ones': { query: LIST, filter: { search: 'legacy' } },
  'search, nothing': { query: LIST, filter: { search: 'xylophone' } },
  'search + statuses': { query: LIST, filter: { search: 'provider does not', statuses: ['FAILED'] } },
  'search, jobCounts': { query: COUNTS, filter: { search: 'blue widget' } },
};

/**
 * What does a page of jobs cost at 100 thousand and at many more, by filter, asked over HTTP? Both sizes are databases of
 * one embedded server with the settings of `npm run dev`, and are asked in turn.
 * @param args `--rows` and their number (default 1,000,000; 10,000,000 takes some 10 minutes and 12 GB to make)
 */
export async function run(args: readonly string[]): Promise<void> {
  const rows = Number(args[args.indexOf('--rows') + 1] ?? 1_000_000) || 1_000_000;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'pg'), durable: true, log });
  const sites: Site[] = [];
  try {
    for (const count of [BASELINE_ROWS, rows]) sites.push(await openSite(postgres.url, folder, count));
    const [small, large] = sites;
    if (small && large) await compare(small, large);
  } finally {
    await Promise.all(sites.map(({ app }) => app.close()));
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Site {
  readonly app: App;
  readonly rows: number;
  ask(query: string, filter: object): Promise<number>;
}

async function openSite(serverUrl: string, folder: string, rows: number): Promise<Site> {
  const startedAt = performance.now();
  const url = await createDatabase(serverUrl, `jobs_${rows}`);
  await migrate({ url, bullmq: true, log });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const organization = await createOrganization(client);
  const key = await insertApiKey(client, {
    organizationId: organization.id,
    userId: null,
    name: 'bench',
    role: 'viewer',
  });
  await seedManyJobs(url, rows, organization, await createOrganization(client));
  await client.end();
  const config = readConfig({
    DATABASE_URL: url,
    REDIS_URL: '',
    PORT: '0',
    MILLRACE_DATA_DIR: join(folder, `data-${rows}`),
  });
  const app = await createApp(config, {
    databaseUrl: url,
    directDatabaseUrl: url,
    catalogue: jobCatalogue,
    log,
  });
  const graphqlUrl = `${(await app.listen()).url}/graphql`;
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log(`${rows.toLocaleString('en')} jobs made in ${seconds} s`);
  return { app, rows, ask: (query, filter) => ask(graphqlUrl, key.token, query, filter) };
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

/** @returns ms until the whole answer was there @throws when it tells of an error */
async function ask(url: string, token: string, query: string, filter: object): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { filter } }),
  });
  const answer = await response.text();
  const took = performance.now() - startedAt;
  if (!response.ok || answer.includes('"errors"')) throw new Error(answer.slice(0, 500));
  return took;
}

async function compare(small: Site, large: Site): Promise<void> {
  const rows = [];
  for (const [name, { query, filter }] of Object.entries(QUESTIONS)) {
    const times: { readonly small: number; readonly large: number }[] = [];
    for (let round = 0; round < WARMUPS + ROUNDS; round += 1) {
      const time = { small: await small.ask(query, filter), large: await large.ask(query, filter) };
      if (round >= WARMUPS) times.push(time);
    }
    rows.push(rowOf(name, times));
  }
  console.log(
    `ms over HTTP at ${small.rows.toLocaleString('en')} and ${large.rows.toLocaleString('en')} jobs:`,
  );
  console.table(Object.fromEntries(rows));
  console.log(
    `goals: p95 at most ${GOAL.ratioMax} times that of the smaller number; for searches at most ${GOAL.searchMsMax} ms`,
  );
}

function rowOf(
  name: string,
  times: readonly { readonly small: number; readonly large: number }[],
): [string, object] {
  const [small, large] = [times.map((time) => time.small), times.map((time) => time.large)];
  const p95 = { small: quantile(small, 0.95), large: quantile(large, 0.95) };
  const ratio = p95.large / p95.small;
  const isMet = name.startsWith('search') ? p95.large <= GOAL.searchMsMax : ratio <= GOAL.ratioMax;
  const row = {
    'p50 small': round(quantile(small, 0.5)),
    'p50 large': round(quantile(large, 0.5)),
    'p95 small': round(p95.small),
    'p95 large': round(p95.large),
    'ratio p50': round(quantile(large, 0.5) / quantile(small, 0.5)),
    'ratio p95': round(ratio),
    goal: isMet ? 'met' : 'MISSED',
  };
  return [name, row];
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

import { loadavg, cpus } from 'node:os';
import { join } from 'node:path';
import { newUuid } from '../src/domain/ids.ts';
import { createLog } from '../src/lib/log.ts';
import { insertApiKey } from '../src/repositories/api-keys.ts';
import { openDatabase, type Database } from '../src/repositories/db.ts';
import { seedJobs } from '../test/support/job-rows.ts';
import { createOrganization } from '../test/support/organization.ts';
import { spawnApi } from '../test/support/spawn-api.ts';
import { startPart } from './live/process.ts';
import { load, type Load, type Side } from './requests/load.ts';
import { withServers, type BenchServers } from './stack.ts';

const log = createLog({ level: 'error', process: 'bench' });

const GOAL = { ratioMin: 0.5 };
const WARM_UP_MS = 3_000;
const JOBS = 10_000;

const QUESTIONS = {
  viewer: '{ viewer { role organization { id name timeZone currency } user { id name email } } }',
  'jobs(first: 50)': `{ jobs(first: 50) { pageInfo { hasNextPage endCursor }
    edges { cursor node { id kind status queue triggeredBy createdAt progressPercent } } } }`,
} as const;
type Question = keyof typeof QUESTIONS;

/**
 * How many requests a second does the API answer, against a bare Yoga server of the same schema: no limits, no
 * authentication, `viewer` from constants and `jobs` by one query of its own? Each side is one process; the sides take
 * turns, 20 requests at once from this process.
 * @param args rounds of each question (default 3), and seconds of a round (default 10)
 */
export async function run(args: readonly string[]): Promise<void> {
  const [rounds, seconds] = [Number(args[0] ?? 3), Number(args[1] ?? 10)];
  await withServers(log, async (servers) => {
    const { organizationId, token } = await prepare(servers);
    const bare = startPart('../requests/bare-server.ts');
    const url = String(await bare.ask({ databaseUrl: servers.databaseUrl, organizationId }));
    const api = await spawnApi({
      NODE_ENV: 'production',
      DATABASE_URL: servers.databaseUrl,
      MILLRACE_DATA_DIR: join(servers.folder, 'data'),
      LOG_LEVEL: 'error',
      // What is measured is the way of a request, not a refusal.
      LIMIT_POINTS_PER_SECOND: '1000000',
    });
    const sides = {
      bare: { name: 'bare', url, pid: bare.pid, token },
      ours: { name: 'ours', url: api.graphqlUrl, pid: api.process.pid ?? -1, token },
    };
    for (const question of Object.keys(QUESTIONS) as Question[]) {
      await compare(question, sides, rounds, seconds * 1_000);
    }
    await api.stop();
    await bare.stop();
  });
}

async function prepare({ databaseUrl }: BenchServers): Promise<{ organizationId: string; token: string }> {
  const db = openDatabase({
    url: databaseUrl,
    applicationName: 'bench',
    connectionsMax: 2,
    statementTimeoutMs: 60_000,
    log,
  });
  const { id: organizationId } = await createOrganization(db);
  const { token } = await insertApiKey(db, {
    organizationId,
    userId: await insertMember(db, organizationId),
    name: 'bench',
    role: 'member',
  });
  await seedJobs(db, organizationId, { count: JOBS, status: 'completed', kind: 'product_import' });
  await db.query('VACUUM (ANALYZE) jobs');
  await db.close();
  return { organizationId, token };
}

async function insertMember(db: Database, organizationId: string): Promise<string> {
  const id = newUuid();
  await db.query("INSERT INTO users (id, email, name) VALUES ($1, 'ada@acme.example', 'Ada')", [id]);
  await db.query("INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'member')", [
    organizationId,
    id,
  ]);
  return id;
}

interface Sides {
  readonly bare: Side;
  readonly ours: Side;
}

async function compare(question: Question, { bare, ours }: Sides, rounds: number, ms: number): Promise<void> {
  const query = QUESTIONS[question];
  for (const side of [bare, ours]) await load(side, query, WARM_UP_MS);
  const measured: { readonly bare: Load; readonly ours: Load }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    measured.push({ bare: await load(bare, query, ms), ours: await load(ours, query, ms) });
  }
  const median = (of: (each: (typeof measured)[number]) => number): number =>
    measured.map(of).toSorted((a, b) => a - b)[measured.length >> 1] ?? Number.NaN;
  const ratio = median((each) => each.ours.perSecond / each.bare.perSecond);
  const cpu = median((each) => each.bare.cpuMs / each.ours.cpuMs);
  console.log(
    `${question}: bare ${median((each) => each.bare.perSecond).toFixed(0)}/s, ours ${median((each) => each.ours.perSecond).toFixed(0)}/s, ` +
      `ratio ${ratio.toFixed(2)} (goal: at least ${GOAL.ratioMin}); processor per request: bare ${median((each) => each.bare.cpuMs).toFixed(2)} ms, ` +
      `ours ${median((each) => each.ours.cpuMs).toFixed(2)} ms, ratio ${cpu.toFixed(2)}; load ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`,
  );
}

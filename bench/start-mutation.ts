import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createRedisBackend, withBackend } from 'bullmq';
import { createSchema, createYoga } from 'graphql-yoga';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { newUuid, toPublicId } from '../src/domain/ids.ts';
import { jobCatalogue } from '../src/jobs/index.ts';
import { createLog } from '../src/lib/log.ts';
import { insertApiKey } from '../src/repositories/api-keys.ts';
import { openDatabase, type Database } from '../src/repositories/db.ts';
import { createOrganization } from '../test/support/organization.ts';
import { withServers, type BenchServers } from './stack.ts';

const log = createLog({ level: 'error', process: 'bench' });

const GOAL = { ratioMax: 2 };
/** Fewer than an organization's window: beyond it a start is not handed to the broker. */
const STARTS_PER_ROUND = 80;

/**
 * How long does a start take, seen from the client? `startProductImport` over HTTP, against a bare Yoga mutation that
 * does one INSERT and one BullMQ `add`, on the same servers, one request after the other, the sides taking turns.
 * @param args number of rounds of 80 starts each (default 10)
 */
export async function run(args: readonly string[]): Promise<void> {
  const rounds = Number(args[0] ?? 10);
  await withServers(log, async (servers) => {
    const db = openDatabase({
      url: servers.databaseUrl,
      applicationName: 'bench',
      connectionsMax: 4,
      statementTimeoutMs: 60_000,
      log,
    });
    const bare = await openBare(servers);
    const ours = await openOurs(servers, db);
    const times = { bare: [] as number[], ours: [] as number[] };
    for (let round = 0; round <= rounds; round += 1) {
      const [bareMs, oursMs] = [await timeStarts(bare), await timeStarts(ours)];
      await ours.forget();
      // The first round warms both up.
      if (round === 0) continue;
      times.bare.push(...bareMs);
      times.ours.push(...oursMs);
    }
    await ours.close();
    await bare.close();
    await db.close();
    for (const share of [0.5, 0.95]) {
      const [bareMs, oursMs] = [quantile(times.bare, share), quantile(times.ours, share)];
      const goal = share === 0.5 ? ` (goal: at most ${GOAL.ratioMax})` : '';
      console.log(
        `p${share * 100}: bare ${bareMs.toFixed(2)} ms, ours ${oursMs.toFixed(2)} ms, ratio ${(oursMs / bareMs).toFixed(2)}${goal}`,
      );
    }
  });
}

interface Side {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  close(): Promise<void>;
}

async function timeStarts({ url, headers, body }: Side): Promise<number[]> {
  const times: number[] = [];
  for (let start = 0; start < STARTS_PER_ROUND; start += 1) {
    const begin = performance.now();
    const response = await fetch(url, { method: 'POST', headers, body });
    const text = await response.text();
    times.push(performance.now() - begin);
    if (!text.includes('"id":"')) throw new Error(`a start failed: ${text}`);
  }
  return times;
}

function quantile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN;
}

async function openBare({ databaseUrl, redisUrl }: BenchServers): Promise<Side> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  await pool.query(
    'CREATE TABLE bare (id uuid PRIMARY KEY, input jsonb NOT NULL, created_at timestamptz DEFAULT now())',
  );
  const { Queue } = withBackend(createRedisBackend);
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue('bare', { connection });
  const schema = createSchema({
    typeDefs: `
      type Query { ok: Boolean }
      type Job { id: ID! status: String! }
      type Payload { job: Job }
      input In { uploadId: ID! }
      type Mutation { start(input: In!): Payload! }`,
    resolvers: {
      Mutation: {
        async start(_root: unknown, { input }: { input: { uploadId: string } }) {
          const id = newUuid();
          await pool.query('INSERT INTO bare (id, input) VALUES ($1, $2)', [id, JSON.stringify(input)]);
          await queue.add('start', { id });
          return { job: { id, status: 'PENDING' } };
        },
      },
    },
  });
  const yoga = createYoga({ schema, logging: false });
  const server = createServer((req, res) => void yoga(req, res));
  const query = 'mutation Start($input: In!) { start(input: $input) { job { id status } } }';
  return {
    url: `${await listen(server)}/graphql`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input: { uploadId: newUuid() } } }),
    async close() {
      server.closeAllConnections();
      server.close();
      await queue.close();
      connection.disconnect();
      await pool.end();
    },
  };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the bare server has no port');
  return `http://127.0.0.1:${address.port}`;
}

async function openOurs(
  { databaseUrl, redisUrl, folder }: BenchServers,
  db: Database,
): Promise<Side & { forget(): Promise<void> }> {
  const environment = {
    PORT: '0',
    HEALTH_PORT: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    MILLRACE_DATA_DIR: folder,
  };
  const app = await createApp(readConfig(environment), {
    databaseUrl,
    directDatabaseUrl: databaseUrl,
    catalogue: jobCatalogue,
    log,
  });
  const { url } = await app.listen();
  const organization = await createOrganization(db);
  const { token } = await insertApiKey(db, {
    organizationId: organization.id,
    userId: null,
    name: 'bench',
    role: 'member',
  });
  const uploadId = newUuid();
  await db.query(
    `INSERT INTO uploads (id, organization_id, filename, content_type, storage_key, byte_size, sha256, received_at, expires_at)
     VALUES ($1, $2, 'x.csv', 'text/csv', 'x', 1, 'x', now(), now() + interval '1 day')`,
    [uploadId, organization.id],
  );
  // A worker that knows the kind, and never comes: each start is handed to the broker, and nothing else takes time.
  await db.query(
    `INSERT INTO workers (id, name, kinds, queues, beat_at)
     VALUES (gen_random_uuid(), 'bench', '{"product_import": 1}', '{long_running}', now() + interval '1 day')`,
  );
  const query =
    'mutation Start($input: StartProductImportInput!) { startProductImport(input: $input) { job { id status } userErrors { message } } }';
  return {
    url: `${url}/graphql`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query,
      variables: { input: { source: { uploadId: toPublicId('upload', uploadId) } } },
    }),
    forget: async () => void (await db.query('DELETE FROM jobs')),
    close: () => app.close(),
  };
}

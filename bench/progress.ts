import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { readConfig } from '../src/config.ts';
import { toPublicId } from '../src/domain/ids.ts';
import { catalogueOf, defineJob } from '../src/jobs/define.ts';
import { brokerOf } from '../src/queue/broker.ts';
import { openQueue } from '../src/queue/index.ts';
import { createJobDeps } from '../src/queue/deps.ts';
import { startJob } from '../src/queue/start.ts';
import { createWorkerApp } from '../worker/app.ts';
import type { JobContext } from '../worker/context.ts';
import { startPart, type Part } from './live/process.ts';
import { openStage, type Stage } from './live/stage.ts';

const GOAL = { p50RatioMax: 2, p99MsMax: 75, aloneMsMax: 3 };
const SECONDS = 10;
/** Five events a second: two jobs take turns, as the throttle lets each write four. */
const JOBS = 2;
const EVERY_MS = 200;
const CHANNEL = 'bench:relay';
const QUERY = 'subscription ($id: ID!) { jobEvents(id: $id, after: 0) { seq type progressPercent message } }';

/** Under a name that the API knows: it shows no job of another. */
const teller = defineJob({
  kind: 'product_import',
  version: 1,
  queue: 'default',
  title: 'Tells the time',
  input: z.object({ turn: z.int() }),
  output: z.object({}),
  retry: { maxAttempts: 1, backoff: { baseMs: 20, maxMs: 100 } },
  timeoutMs: 600_000,
  startable: 'api',
});

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/**
 * How long does it take from `ctx.progress()` in a worker until clients have it over WebSocket, its commit included,
 * measured against a bare relay from Redis to `ws` that commits nothing? The rounds take turns.
 * @param args how many subscribers (default 1,000), besides a run with one
 */
export async function run(args: readonly string[]): Promise<void> {
  const many = Number(args[0] ?? 1_000);
  const stage = await openStage();
  const relay = startPart('bare-server.ts');
  try {
    await relay.ask({ type: 'relay', redisUrl: stage.redisUrl, channel: CHANNEL });
    for (const readers of [1, many, 1, many]) {
      const bare = await measureRelay(stage, relay, readers);
      const ours = await measureOurs(stage, readers);
      console.log(`${readers} subscribers: ${tell('Millrace', ours)}; ${tell('bare relay', bare)}`);
      if (readers === 1)
        console.log(`  p50 − p50: ${(ours.p50 - bare.p50).toFixed(1)} ms (goal: at most ${GOAL.aloneMsMax})`);
      else
        console.log(
          `  p50 / p50: ${(ours.p50 / bare.p50).toFixed(2)} (goal: at most ${GOAL.p50RatioMax}); p99 goal: ${GOAL.p99MsMax} ms`,
        );
    }
  } finally {
    await relay.stop();
    await stage.close();
  }
}

async function measureRelay(stage: Stage, relay: Part, readers: number): Promise<Latency> {
  const url = z.string().parse(await relay.ask({ type: 'listen' }));
  const part = startPart('readers.ts');
  const redis = new Redis(stage.redisUrl);
  try {
    await part.ask({ type: 'connect', url, token: '', readers, subscriptions: [] });
    const message = (): string => {
      const event = { seq: 4_711, type: 'PROGRESS', progressPercent: 47, message: now() };
      return JSON.stringify({ id: 'operation-0', type: 'next', payload: { data: { jobEvents: event } } });
    };
    for (let sent = 0; sent * EVERY_MS < SECONDS * 1_000; sent += 1) {
      await redis.publish(CHANNEL, message());
      await delay(EVERY_MS);
    }
    return await latencyOf(part);
  } finally {
    redis.disconnect();
    await part.stop();
  }
}

async function measureOurs(stage: Stage, readers: number): Promise<Latency> {
  const { db, bus, log, environment, organizationId, token } = stage;
  const config = readConfig(environment);
  const url = environment['DATABASE_URL'] ?? '';
  const catalogue = catalogueOf(teller);
  const queue = openQueue(brokerOf(config.broker, url, 'bench'), log);
  const begin = new AbortController();
  const worker = await createWorkerApp({
    config,
    databaseUrl: url,
    directDatabaseUrl: url,
    catalogue,
    handlers: { product_import: (ctx, { turn }) => tellTheTime(ctx, turn, begin.signal) },
    log,
  });
  const part = startPart('readers.ts');
  try {
    const deps = createJobDeps({ db, bus, queue, catalogue, log });
    const start = (turn: number) =>
      startJob(deps, { organizationId, kind: teller.kind, input: { turn }, triggeredBy: 'manual:bench' });
    const jobs = await Promise.all(Array.from({ length: JOBS }, (_, turn) => start(turn)));
    const subscriptions = jobs.map(({ jobId }) => ({
      query: QUERY,
      variables: { id: toPublicId('job', jobId) },
    }));
    const graphql = `${stage.api.url.replace('http', 'ws')}/graphql`;
    await part.ask({ type: 'connect', url: graphql, token, readers, subscriptions });
    // Pending and running, of each job, for each reader.
    await part.ask({ type: 'wait', messages: 2 * JOBS * readers });
    await delay(500);
    begin.abort();
    await delay(SECONDS * 1_000 + 500);
    return await latencyOf(part);
  } finally {
    await part.stop();
    await worker.close();
    await queue.close();
  }
}

async function tellTheTime(
  ctx: JobContext,
  turn: number,
  begin: AbortSignal,
): Promise<Record<string, never>> {
  while (!begin.aborted) await delay(5, undefined, { signal: ctx.signal });
  await delay(turn * EVERY_MS);
  const rounds = (SECONDS * 1_000) / (JOBS * EVERY_MS);
  for (let round = 0; round < rounds; round += 1) {
    ctx.progress(round, rounds, now());
    await delay(JOBS * EVERY_MS);
  }
  return {};
}

/** As readers look for it */
function now(): string {
  return `@${(performance.timeOrigin + performance.now()).toFixed(3)}@`;
}

async function latencyOf(part: Part): Promise<Latency> {
  const sorted = z
    .array(z.number())
    .min(1)
    .parse(await part.ask({ type: 'latencies' }));
  sorted.sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

function tell(name: string, { p50, p99 }: Latency): string {
  return `${name} p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

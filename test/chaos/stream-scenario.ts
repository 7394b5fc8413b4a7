import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { toPublicId } from '../../src/domain/ids.ts';
import { sleep } from '../../src/lib/abort.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';
import { catalogueOf, defineJob } from '../../src/jobs/define.ts';
import { startJob } from '../../src/queue/start.ts';
import { BEAT_TIMES } from '../../worker/beat.ts';
import type { JobContext } from '../../worker/context.ts';
import { startEngine, type BrokerName, type Engine } from '../support/engine.ts';
import { restartPort } from '../support/restart-port.ts';
import { spawnApi, type ApiProcess } from '../support/spawn-api.ts';
import { waitFor } from '../support/wait.ts';
import { BreakableSockets, followBySdk, followOverSocket, Tally, type Servers } from './stream-subscriber.ts';

export interface StreamScenario {
  readonly broker: BrokerName;
  readonly subscribers: number;
  /** How long there is trouble, at least; the jobs write until it is over */
  readonly seconds: number;
  /** Trouble lasts until the jobs have written so many: a busy machine takes longer */
  readonly eventsMin: number;
}

export interface StreamFigures {
  /** Written by all jobs */
  readonly events: number;
  /** Taken by all subscribers */
  readonly deliveries: number;
  readonly missing: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  /** What was done to the subscribers */
  readonly socketsBroken: number;
  readonly restarts: number;
}

const JOBS = 4;
const API_PROCESSES = 2;
/** Of the sockets that are open, each second */
const BROKEN_SHARE = 0.03;
/** A subscriber in this many goes by the SDK, over SSE and WebSocket in turn */
const SDK_EVERY = 20;
const PER_SOCKET = 10;
const WRITING_MAX_MS = 60_000;
/** After the jobs' end, for readers that are behind */
const CATCH_UP_MS = 60_000;

/** Under a name that the API knows: it shows no job of another. */
const writer = defineJob({
  kind: 'product_import',
  version: 1,
  queue: 'default',
  title: 'Writes events',
  input: z.object({}),
  output: z.object({}),
  retry: { maxAttempts: 1, backoff: { baseMs: 20, maxMs: 100 } },
  timeoutMs: 600_000,
  startable: 'api',
});

/**
 * Jobs write events in a worker, of all sizes; subscribers follow them over two API processes that are killed, stopped
 * and started again in turn, while sockets break at random. Each goes on after its last event, and must have seen all.
 */
export async function streamScenario({
  broker,
  subscribers,
  seconds,
  eventsMin,
}: StreamScenario): Promise<StreamFigures> {
  const calm = new AbortController();
  const engine = await startEngine({
    broker,
    catalogue: catalogueOf(writer),
    handlers: { product_import: (ctx) => writeUntil(ctx, calm.signal) },
    // The worker shares its process with hundreds of subscribers, and must not be taken for dead because of them.
    times: BEAT_TIMES,
  });
  const apis = await startApis(engine);
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  try {
    const { token } = await insertApiKey(engine.database.db, {
      organizationId: engine.organization.id,
      userId: null,
      name: 'chaos',
      role: 'viewer',
    });
    const jobs = await startJobs(engine);
    const sockets = new BreakableSockets();
    const servers = { token, pick: () => apis.pick() };
    const tallies = Array.from({ length: subscribers }, (_, index) => ({
      job: jobs[index % JOBS] ?? '',
      tally: new Tally(),
    }));
    const following = follow(servers, sockets, tallies, over.signal);
    await engine.startWorker();
    const enough = async (signal: AbortSignal): Promise<void> => {
      await sleep(seconds * 1_000, signal);
      await waitFor(() => hasWritten(engine, eventsMin), { timeoutMs: WRITING_MAX_MS });
    };
    const { socketsBroken, restarts } = await troubled(apis, sockets, enough);
    calm.abort();
    await Promise.race([following, delay(CATCH_UP_MS, undefined, { signal: over.signal })]);
    return { ...(await figuresOf(engine, tallies)), socketsBroken, restarts };
  } finally {
    over.abort();
    await apis.end();
    await engine.close();
  }
}

/** Some twenty events a second, each tenth line too large to travel by the bus. */
async function writeUntil(ctx: JobContext, calm: AbortSignal): Promise<Record<string, never>> {
  for (let line = 0; !calm.aborted; line += 1) {
    ctx.log.info(line % 10 === 0 ? 'x'.repeat(1_500) : `line ${line}`);
    ctx.progress(line, null, `after line ${line}`);
    await delay(60, undefined, { signal: ctx.signal });
  }
  return {};
}

async function startJobs({ jobs, organization }: Engine): Promise<string[]> {
  const started = await Promise.all(
    Array.from({ length: JOBS }, () =>
      startJob(jobs, {
        organizationId: organization.id,
        kind: writer.kind,
        input: {},
        triggeredBy: 'manual:chaos',
      }),
    ),
  );
  return started.map(({ jobId }) => toPublicId('job', jobId));
}

interface Follower {
  readonly job: string;
  readonly tally: Tally;
}

/** Half of those without the SDK share sockets, the others have one each. */
async function follow(
  servers: Servers,
  sockets: BreakableSockets,
  followers: readonly Follower[],
  signal: AbortSignal,
): Promise<void> {
  const bySdk = followers.filter((_, index) => index % SDK_EVERY === 0);
  const bySocket = followers.filter((_, index) => index % SDK_EVERY !== 0);
  const half = Math.ceil(bySocket.length / 2);
  const groups = [
    ...bySocket.slice(0, half).map((follower) => [follower]),
    ...Array.from({ length: Math.ceil((bySocket.length - half) / PER_SOCKET) }, (_, index) =>
      bySocket.slice(half + index * PER_SOCKET, half + (index + 1) * PER_SOCKET),
    ),
  ];
  await Promise.all([
    ...bySdk.map(({ job, tally }, index) =>
      followBySdk(servers, index % 2 === 0 ? 'sse' : 'ws', job, tally, signal),
    ),
    ...groups.map((group) =>
      followOverSocket(
        servers,
        sockets,
        group.map(({ job }) => job),
        group.map(({ tally }) => tally),
        signal,
      ),
    ),
  ]);
}

/** Makes trouble until it is enough, and no longer when any part of it fails. */
async function troubled(
  apis: Apis,
  sockets: BreakableSockets,
  enough: (signal: AbortSignal) => Promise<void>,
): Promise<{ socketsBroken: number; restarts: number }> {
  const trouble = new AbortController();
  const troubles = Promise.all([breakSockets(sockets, trouble.signal), apis.restartInTurn(trouble.signal)]);
  try {
    await Promise.race([enough(trouble.signal), troubles]);
  } finally {
    trouble.abort();
    await troubles.catch(() => undefined);
  }
  const [socketsBroken, restarts] = await troubles;
  return { socketsBroken, restarts };
}

async function breakSockets(sockets: BreakableSockets, signal: AbortSignal): Promise<number> {
  let broken = 0;
  while (!signal.aborted) {
    await sleep(1_000, signal);
    broken += sockets.breakSome(BROKEN_SHARE);
  }
  return broken;
}

interface Apis {
  pick(): string;
  /** One after the other, without a pause, by SIGKILL and SIGTERM in turn. @returns how often */
  restartInTurn(signal: AbortSignal): Promise<number>;
  end(): Promise<void>;
}

async function startApis(engine: Engine): Promise<Apis> {
  const start = async (port: number): Promise<ApiProcess> => spawnApi(engine.environment, port);
  const ports = await Promise.all(Array.from({ length: API_PROCESSES }, () => restartPort()));
  const processes = await Promise.all(ports.map(start));
  return {
    pick: () => `http://127.0.0.1:${ports[Math.floor(Math.random() * ports.length)] ?? 0}/graphql`,
    async restartInTurn(signal) {
      let restarts = 0;
      await sleep(1_500, signal);
      for (; !signal.aborted; restarts += 1) {
        const index = restarts % API_PROCESSES;
        const [victim, port] = [processes[index], ports[index]];
        if (!victim || port === undefined) break;
        if (restarts % 4 < 2) await victim.end();
        else await victim.stop();
        processes[index] = await start(port);
        await sleep(1_000, signal);
      }
      return restarts;
    },
    end: async () => void (await Promise.all(processes.map((process) => process.end()))),
  };
}

/** @throws with the figures so far, which `waitFor` tells when it gives up */
async function hasWritten({ database: { db } }: Engine, eventsMin: number): Promise<true> {
  const { rows } = await db.query<{ status: string; events: number }>(
    'SELECT status, sum(last_seq)::int AS events FROM jobs WHERE NOT internal GROUP BY status',
  );
  const written = rows.reduce((total, { events }) => total + events, 0);
  if (written >= eventsMin) return true;
  throw new Error(`expected ${eventsMin} events, found ${JSON.stringify(rows)}`);
}

async function figuresOf(
  { database: { db } }: Engine,
  followers: readonly Follower[],
): Promise<Omit<StreamFigures, 'socketsBroken' | 'restarts'>> {
  const { rows } = await db.query<{ id: string; last_seq: number }>(
    'SELECT id, last_seq FROM jobs WHERE NOT internal',
  );
  const lastSeqs = new Map(rows.map(({ id, last_seq }) => [toPublicId('job', id), last_seq]));
  const sum = (of: (follower: Follower) => number): number =>
    followers.reduce((total, follower) => total + of(follower), 0);
  const eventsOf = ({ job }: Follower): number => lastSeqs.get(job) ?? Number.NaN;
  const missing = sum((follower) => follower.tally.missingOf(eventsOf(follower)));
  return {
    events: rows.reduce((total, { last_seq }) => total + last_seq, 0),
    deliveries: sum(eventsOf) - missing,
    missing,
    doubled: sum(({ tally }) => tally.doubled),
    outOfOrder: sum(({ tally }) => tally.outOfOrder),
  };
}

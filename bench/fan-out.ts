import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { toPublicId } from '../src/domain/ids.ts';
import type { JobEvent } from '../src/domain/job.ts';
import { announce } from '../src/queue/announce.ts';
import { insertRawJob } from '../test/support/raw-job.ts';
import { startPart, type Part } from './live/process.ts';
import { openStage, processorMs, type Stage } from './live/stage.ts';

const GOAL = { ratioMin: 0.6 };
const ROUNDS = 3;
const EVENTS = 100;
/** On their way at once */
const IN_FLIGHT = 10;
const QUERY =
  'subscription ($id: ID!) { jobEvents(id: $id, after: 0) { seq at type attempt status progressPercent message } }';

/** What it took to bring EVENTS to all readers. */
interface Figures {
  readonly seconds: number;
  /** Of the server's process */
  readonly processorSeconds: number;
}

/**
 * How fast does one event reach everybody who follows a job, measured against a bare `ws` server that broadcasts the
 * same bytes? Readers are in a process of their own, the same for both; the rounds take turns. The server's processor
 * time is the figure that other programs on the machine disturb least.
 * @param args how many subscribers (default 1,000)
 */
export async function run(args: readonly string[]): Promise<void> {
  const readers = Number(args[0] ?? 1_000);
  const stage = await openStage();
  const bare = startPart('bare-server.ts');
  try {
    const ratios = { wall: [] as number[], processor: [] as number[] };
    for (let round = 1; round <= ROUNDS; round += 1) {
      const ours = await measureOurs(stage, readers);
      const theirs = await measureBare(bare, readers, ours.bytes);
      tell(`round ${round}: Millrace`, readers, ours);
      tell(`round ${round}: bare ws`, readers, theirs);
      ratios.wall.push(theirs.seconds / ours.seconds);
      ratios.processor.push(theirs.processorSeconds / ours.processorSeconds);
    }
    console.log(
      `ratio: ${list(ratios.wall)} by the clock, ${list(ratios.processor)} by processor time (goal: at least ${GOAL.ratioMin})`,
    );
  } finally {
    await bare.stop();
    await stage.close();
  }
}

async function measureOurs(stage: Stage, readers: number): Promise<Figures & { readonly bytes: number }> {
  const { db, bus, organizationId } = stage;
  const jobId = await insertRawJob(db, organizationId);
  const part = startPart('readers.ts');
  try {
    const variables = { id: toPublicId('job', jobId) };
    const url = `${stage.api.url.replace('http', 'ws')}/graphql`;
    const subscriptions = [{ query: QUERY, variables }];
    await part.ask({ type: 'connect', url, token: stage.token, readers, subscriptions });
    let last: JobEvent | undefined;
    const publish = async (_from: number, count: number): Promise<void> => {
      const events = await appendEvents(stage, jobId, count);
      events.forEach((event) => announce(bus, { organizationId, jobId, events: [event] }));
      last = events.at(-1);
    };
    // The first event shows that all are there; the next ones warm up.
    await publish(0, 1);
    await part.ask({ type: 'wait', messages: readers });
    await inFlight(part, readers, EVENTS, publish);
    const figures = await timed(stage.api.pid, () => inFlight(part, readers, EVENTS, publish));
    const payload = JSON.stringify({ data: { jobEvents: shown(last) } });
    const bytes = `{"id":"operation-0","type":"next","payload":${payload}}`.length;
    return { ...figures, bytes };
  } finally {
    await part.stop();
  }
}

/** Numbered and written in one statement, as a worker's batch is. */
async function appendEvents({ db }: Stage, jobId: string, count: number): Promise<JobEvent[]> {
  const { rows } = await db.query<{ seq: number; at: Date; message: string }>(
    `WITH numbered AS (UPDATE jobs SET last_seq = last_seq + $2 WHERE id = $1 RETURNING last_seq)
     INSERT INTO job_events (job_id, seq, type, attempt, status, progress_percent, message)
     SELECT $1, last_seq - $2 + n, 'progress', 1, 'running', 47, (last_seq - $2 + n) || ' of 10,000 rows'
     FROM numbered, generate_series(1, $2::int) AS n
     RETURNING seq, at, message`,
    [jobId, count],
  );
  const rest = { attempt: 1, level: null, errorCode: null, progressPercent: 47 };
  return rows.map((row) => ({ ...row, ...rest, type: 'progress', status: 'running' }));
}

function shown(event: JobEvent | undefined): object {
  if (!event) throw new Error('no event was written');
  const { seq, at, type, attempt, status, progressPercent, message } = event;
  return {
    seq,
    at,
    type: type.toUpperCase(),
    attempt,
    status: status.toUpperCase(),
    progressPercent,
    message,
  };
}

async function measureBare(bare: Part, readers: number, bytes: number): Promise<Figures> {
  const url = z.string().parse(await bare.ask({ type: 'listen' }));
  const part = startPart('readers.ts');
  try {
    await part.ask({ type: 'connect', url, token: '', readers, subscriptions: [] });
    const message = '{"id":"operation-0","type":"next","payload":""}'.padEnd(bytes, ' ');
    const send = (_from: number, times: number) => bare.ask({ type: 'broadcast', message, times });
    await inFlight(part, readers, EVENTS, send);
    return await timed(bare.pid, () => inFlight(part, readers, EVENTS, send));
  } finally {
    await part.stop();
  }
}

/** Sends `count` events, IN_FLIGHT at once, each lot when all readers have the one before. */
async function inFlight(
  part: Part,
  readers: number,
  count: number,
  send: (from: number, count: number) => unknown,
): Promise<void> {
  await part.ask({ type: 'forget' });
  for (let from = 0; from < count; from += IN_FLIGHT) {
    const got = part.ask({ type: 'wait', messages: (from + IN_FLIGHT) * readers });
    await send(from, IN_FLIGHT);
    await got;
  }
}

async function timed(pid: number, work: () => Promise<void>): Promise<Figures> {
  await delay(500);
  const [startedAt, before] = [performance.now(), await processorMs(pid)];
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seconds, processorSeconds: ((await processorMs(pid)) - before) / 1_000 };
}

function tell(name: string, readers: number, { seconds, processorSeconds }: Figures): void {
  const deliveries = readers * EVENTS;
  console.log(
    `${name}: ${Math.round(deliveries / seconds).toLocaleString('en')} deliveries/s, ` +
      `${((1e6 * processorSeconds) / deliveries).toFixed(1)} µs of processor time each`,
  );
}

function list(ratios: readonly number[]): string {
  return ratios.map((ratio) => ratio.toFixed(2)).join(', ');
}

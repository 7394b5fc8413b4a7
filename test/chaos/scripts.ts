import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { finished } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import { z } from 'zod';
import type { productImport } from '../../src/jobs/product-import.ts';
import type { AttemptTx, Handler, JobContext } from '../../worker/context.ts';
import { untilAborted } from '../support/kinds.ts';

/** What a job of a chaos run does. It travels where an import names its first column, as "rows:3". */
export const SCRIPT_NAMES = ['rows', 'slow', 'copy', 'upsert', 'chatty', 'hog', 'wait'] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

/** What a worker tells the harness by IPC: an attempt stands at the point where it is to be stopped. */
export const heldMessage = z.object({ type: z.literal('held'), jobId: z.uuid() });
/** What the harness answers: go on. */
export const GO_ON = 'go on';
const goOnMessage = z.object({ type: z.literal(GO_ON) });

const ROW_MS = 20;
const SLOW_ROW_MS = 100;
const HOG_SECONDS = 5;
const cursor = z.object({ row: z.int() });
const INSERT = 'INSERT INTO effects (job_id, row) SELECT $1, generate_series($2::int, $3::int)';

type Script = (ctx: JobContext, rows: number) => Promise<void>;

const SCRIPTS: Readonly<Record<ScriptName, Script>> = {
  rows: (ctx, rows) => writeRows(ctx, rows, ROW_MS),
  slow: (ctx, rows) => writeRows(ctx, rows, SLOW_ROW_MS),
  /** All rows by one COPY, held in the middle of it */
  copy: (ctx, rows) =>
    ctx.transaction(async (tx) => {
      const stream = tx.client.query(from('COPY effects (job_id, row) FROM STDIN'));
      const done = finished(stream);
      // Its session may be ended while it is held.
      done.catch(() => undefined);
      const half = Math.floor(rows / 2);
      stream.write(lines(ctx.jobId, 1, half));
      await hold(ctx);
      stream.end(lines(ctx.jobId, half + 1, rows));
      await done;
    }),
  /** All rows by one statement, held between it and the commit */
  upsert: (ctx, rows) =>
    ctx.transaction(async (tx) => {
      await tx.query(INSERT, [ctx.jobId, 1, rows]);
      await hold(ctx);
    }),
  /** A warning with a long text for each row: a stream of some size */
  async chatty(ctx, rows) {
    for (let row = 1; row <= rows; row += 1) {
      await ctx.transaction(async (tx) => {
        await tx.query(INSERT, [ctx.jobId, row, row]);
        tx.items([{ row, code: 'LONG', message: 'x'.repeat(1_800), outcome: 'warned' }]);
      });
    }
  },
  /** Takes three connections of the pool and keeps them, then writes its rows */
  async hog(ctx, rows) {
    const sleeping = Array.from({ length: 3 }, () => ctx.db.query('SELECT pg_sleep($1)', [HOG_SECONDS]));
    await Promise.all(sleeping);
    await ctx.transaction((tx) => tx.query(INSERT, [ctx.jobId, 1, rows]));
  },
  /** Goes on until it is told to stop */
  wait: (ctx) => untilAborted(ctx.signal),
};

/** One row per transaction; a later attempt goes on after the last that was committed. */
async function writeRows(ctx: JobContext, rows: number, pauseMs: number): Promise<void> {
  const begin = ((await ctx.resume(cursor))?.row ?? 0) + 1;
  for (let row = begin; row <= rows; row += 1) {
    await ctx.transaction(async (tx: AttemptTx) => {
      await tx.query(INSERT, [ctx.jobId, row, row]);
      tx.checkpoint({ row });
    });
    ctx.progress(row, rows);
    await delay(pauseMs, undefined, { signal: ctx.signal });
  }
}

/** Only the first attempt stands still: whoever takes the job over goes through. */
async function hold(ctx: JobContext): Promise<void> {
  if (ctx.attempt > 1) return;
  process.send?.({ type: 'held', jobId: ctx.jobId });
  for (;;) {
    const [message]: unknown[] = await once(process, 'message');
    if (goOnMessage.safeParse(message).success) return;
  }
}

function lines(jobId: string, first: number, last: number): string {
  return Array.from({ length: last - first + 1 }, (_, index) => `${jobId}\t${first + index}\n`).join('');
}

/** A script's name and rows, as they travel: "rows:3" */
export const scriptColumn = (name: ScriptName, rows: number): string => `${name}:${rows}`;

function parseColumn(column: string | undefined): readonly [ScriptName, number] {
  const [name, rows] = (column ?? '').split(':');
  return [z.enum(SCRIPT_NAMES).parse(name), z.coerce.number().int().positive().parse(rows)];
}

const NOTHING = {
  created: 0,
  updated: 0,
  unchanged: 0,
  rejected: 0,
  productsCreated: 0,
  productsUpdated: 0,
  variantsCreated: 0,
  variantsUpdated: 0,
};

/** Stands in for the product import: the same contract, so that the real API starts it, and a script for its work. */
export const runScript: Handler<typeof productImport> = async (ctx, { mapping }) => {
  const [name, rows] = parseColumn(mapping?.[0]?.column);
  await SCRIPTS[name](ctx, rows);
  return NOTHING;
};

import { randomUUID } from 'node:crypto';
import { sleep, toError } from '../../src/lib/abort.ts';
import { waitFor } from '../support/wait.ts';
import { Chaos } from './chaos.ts';
import type { Backend, Fault, Scale } from './fault.ts';
import { countSettled, countUnsettled, findEffects, findJobs } from './ledger.ts';
import { Load } from './load.ts';
import type { Stack } from './stack.ts';
import { judge, type Verdict } from './verdict.ts';

/** One fault on one backend, judged. */
export interface Outcome {
  readonly fault: string;
  readonly backend: Backend;
  readonly scale: Scale;
  readonly verdict: Verdict;
}

const PER_SECOND = { full: 15, short: 10 };
/** Settled before anything breaks, so that it is known to work. */
const WARM_JOBS = 5;
/** Load that starts after the fault */
const AFTER_MS = { full: 3_000, short: 1_000 };
/** How long the readers have when all jobs are settled. */
const STREAMS_MS = 20_000;

/** Breaks a stack under load, waits until it has recovered, and judges what became of everything. */
export async function runFault(stack: Stack, fault: Fault): Promise<Outcome> {
  const { backend, scale, clients, uploadId } = stack;
  const prefix = `${fault.name}-${randomUUID().slice(0, 8)}`;
  const load = new Load({ clients, uploadId, prefix, perSecond: PER_SECOND[scale] });
  const chaos = new Chaos(stack, load);
  const problems: string[] = [];
  const attempt = async (what: string, step: () => Promise<void>): Promise<void> => {
    await step().catch((error: unknown) => problems.push(`${what}: ${toError(error).message}`));
  };
  if (stack.workers.length > 0) await attempt('before the fault', () => warm(chaos));
  await attempt('during the fault', () => fault.run(chaos));
  const { endedAtMs } = chaos;
  await attempt('mending', async () => {
    const crashed = await stack.mend();
    problems.push(...crashed.map((log) => `a process crashed; see ${log}`));
  });
  await sleep(AFTER_MS[scale]);
  await attempt('starts', () => load.stop());
  const limit = fault.settledWithinSeconds[scale];
  await attempt('settling', () => settled(chaos, 2 * limit * 1_000));
  const streams = await load.streams(STREAMS_MS);
  await attempt('cancel', () => chaos.expectCancel());

  const found = await findJobs(stack.db, prefix);
  const accepted = load.accepted;
  const ids = [...new Set([...accepted, ...found].map(({ jobId }) => jobId))];
  const effects = await findEffects(stack.db, ids);
  const lastMs = Math.max(...found.map(({ completedAtMs }) => completedAtMs ?? Number.POSITIVE_INFINITY));
  chaos.bound('all settled', (lastMs - endedAtMs) / 1_000, limit);
  const verdict = judge({ accepted, found, effects, streams, bounds: chaos.bounds, endedAtMs });
  return {
    fault: fault.name,
    backend,
    scale,
    verdict: { ...verdict, problems: [...problems, ...verdict.problems] },
  };
}

async function warm({ stack, load }: Chaos): Promise<void> {
  await waitFor(async () => (await countSettled(stack.db, load.prefix)) >= WARM_JOBS, { timeoutMs: 60_000 });
}

async function settled({ stack, load }: Chaos, timeoutMs: number): Promise<void> {
  await waitFor(async () => (await countUnsettled(stack.db, load.prefix)) === 0, { timeoutMs });
}

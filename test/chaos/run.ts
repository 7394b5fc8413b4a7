import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { raceAbort, toError } from '../../src/lib/abort.ts';
import { failStart } from '../../src/lib/entry.ts';
import { readPlan, type Plan } from './arguments.ts';
import type { Backend, Fault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { runFault, type Outcome } from './run-fault.ts';
import { startStack } from './stack.ts';
import { formatProblems, formatTable } from './table.ts';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
/** One fault on one backend, its stack's start included */
const CASE_TIMEOUT_MS = 15 * 60_000;

/** `npm run chaos`: each fault on a stack of its own, one after the other; a table at the end. */
async function run(plan: Plan, asked: AbortSignal): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { fault, backend } of plan.cases) {
    if (asked.aborted) break;
    tell(`${fault.name} on ${backend} …`);
    const outcome = await runCase(plan, fault, backend, asked).catch((error: unknown) => {
      if (!asked.aborted) tell(`  could not be run: ${toError(error).stack ?? String(error)}`);
      return null;
    });
    if (!outcome) {
      process.exitCode = 1;
      continue;
    }
    outcomes.push(outcome);
    await writeFile(join(CACHE, 'chaos.json'), `${JSON.stringify(outcomes, null, 2)}\n`);
    tell(`  ${outcome.verdict.problems.join('\n  ') || 'held'}`);
  }
  return outcomes;
}

/** The stack is taken down however this ends. */
async function runCase(plan: Plan, fault: Fault, backend: Backend, asked: AbortSignal): Promise<Outcome> {
  const logFolder = join(CACHE, 'chaos', `${fault.name}-${backend}`);
  await rm(logFolder, { recursive: true, force: true });
  await mkdir(logFolder, { recursive: true });
  const stack = await startStack({ backend, scale: plan.scale, shape: fault.shape ?? {}, logFolder });
  const late = AbortSignal.timeout(CASE_TIMEOUT_MS);
  try {
    return await raceAbort(raceAbort(runFault(stack, fault), late), asked);
  } finally {
    await stack.close();
  }
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const plan = readPlan(process.argv.slice(2), FAULTS);
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => asked.abort(new Error(`${signal}: stopping what was started`)));
  const outcomes = await run(plan, asked.signal);
  if (outcomes.length > 0) tell(`\n${formatTable(outcomes)}\n`);
  const problems = formatProblems(outcomes);
  if (problems) tell(`What did not hold:\n${problems}\n`);
  // Handles of readers and clients that were broken off must not keep the process.
  process.exit(asked.signal.aborted ? 130 : problems ? 1 : (process.exitCode ?? 0));
}

await main().catch(failStart);

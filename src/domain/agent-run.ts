import { z } from 'zod';
import { UserFacingError } from './errors.ts';
import { currencyCode, decimal } from './money.ts';
import { parseInput } from './parse-input.ts';

/** Runs that one call may tell of. */
export const AGENT_RUNS_MAX = 1_000;

const NAME_LENGTH_MAX = 500;
const YEAR_MS = 365 * 86_400_000;
const TOKENS_MAX = 1e12;
/** What its column holds. */
const FRACTION_DIGITS_MAX = 6;
const WHOLE_DIGITS_MAX = 18;
const FIRST_MOMENT = Date.UTC(2000, 0, 1);
/** The clocks of two machines are never quite the same. */
const AHEAD_MS = 86_400_000;

const text = z
  .string()
  .min(1, 'expected a text that is not empty')
  .max(NAME_LENGTH_MAX, `expected at most ${NAME_LENGTH_MAX} characters`);
const upTo = (max: number, what: string) => {
  const error = `expected ${what}`;
  return z.int({ error }).min(0, error).max(max, error);
};

const amount = decimal
  .refine((value) => !/^-.*[1-9]/.test(value), { error: 'expected an amount that is not negative' })
  .refine((value) => digitsOf(value).fraction <= FRACTION_DIGITS_MAX, {
    error: `expected at most ${FRACTION_DIGITS_MAX} digits behind the point`,
  })
  .refine((value) => digitsOf(value).whole <= WHOLE_DIGITS_MAX, {
    error: `expected at most ${WHOLE_DIGITS_MAX} digits before the point`,
  });

/** One run of an AI agent of the team's own, as it is told; the same words as the fact of `agent_run`. */
const agentRun = z.object({
  /** Its own among the organization's: told again, it replaces what was told before */
  key: text,
  agent: text,
  at: z.date(),
  succeeded: z.boolean(),
  durationMs: upTo(YEAR_MS, `0 to ${YEAR_MS} ms`),
  tokens: upTo(TOKENS_MAX, `0 to ${TOKENS_MAX} tokens`),
  /** Null: it cost nothing, or nobody knows */
  cost: z
    .object({ amount, currency: currencyCode })
    .nullish()
    .transform((cost) => cost ?? null),
});
export type AgentRun = z.output<typeof agentRun>;

/** How many runs a call was about. */
export interface RecordedRuns {
  /** Not known before */
  readonly recorded: number;
  /** Known, and told otherwise now */
  readonly replaced: number;
  /** Known just so */
  readonly unchanged: number;
}

/**
 * The runs of a call, each key once: of two with the same, the later one counts.
 * @throws UserFacingError with the path of each mistake
 */
export function parseAgentRuns(input: { readonly runs: readonly unknown[] }, now: Date): AgentRun[] {
  const { length } = input.runs;
  if (length < 1 || length > AGENT_RUNS_MAX) {
    const code = length > AGENT_RUNS_MAX ? 'TOO_LARGE' : 'INVALID';
    throw UserFacingError.of(code, ['input', 'runs'], `expected 1 to ${AGENT_RUNS_MAX} runs, got ${length}`);
  }
  const at = z
    .date()
    .refine((moment) => moment.getTime() >= FIRST_MOMENT, { error: 'expected a moment since the year 2000' })
    .refine((moment) => moment.getTime() <= now.getTime() + AHEAD_MS, {
      error: 'expected a moment that is not in the future',
    });
  const { runs } = parseInput(z.object({ runs: z.array(agentRun.extend({ at })) }), input);
  return [...new Map(runs.map((run) => [run.key, run])).values()];
}

function digitsOf(value: string): { readonly whole: number; readonly fraction: number } {
  const [whole = '', fraction = ''] = value.replace(/^-?0*/, '').split('.');
  return { whole: whole.length, fraction: fraction.replace(/0+$/, '').length };
}

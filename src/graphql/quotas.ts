import { handleStreamOrSingleExecutionResult, type Plugin } from 'graphql-yoga';
import type { GraphQLError } from 'graphql';
import type { Allowance, RateLimiter } from '../auth/rate-limiter.ts';
import type { ApiLimits } from '../domain/api-limits.ts';
import type { GraphQLContext } from './context.ts';
import { costOf, type PricedOperation } from './cost.ts';
import { problem } from './errors.ts';

interface QuotaOptions {
  readonly limits: Pick<ApiLimits, 'cost'>;
  readonly rateLimiter: RateLimiter;
}

type Charged = PricedOperation & { readonly contextValue: GraphQLContext };

/** `extensions.cost` of an answer. */
interface CostReport {
  /** Points of this operation */
  readonly requested: number;
  /** Points that one operation may cost */
  readonly maximum: number;
  /** What is left of this caller's window */
  readonly window: Pick<Allowance, 'limit' | 'remaining' | 'resetSeconds'>;
}

type Charge =
  | { readonly report: CostReport; readonly refusal?: never }
  | { readonly report?: never; readonly refusal: GraphQLError };

/** Prices every operation before it runs, refuses what is too dear, and counts the rest against its caller. */
export function useQuotas({ limits, rateLimiter }: QuotaOptions): Plugin<GraphQLContext> {
  async function charge(operation: Charged): Promise<Charge> {
    const requested = costOf(operation);
    if (requested > limits.cost) return { refusal: tooDear(requested, limits.cost) };
    const { principal, onCharged } = operation.contextValue;
    const allowance = await rateLimiter.take(principal.credential, requested);
    onCharged(allowance);
    if (!allowance.isAllowed) return { refusal: tooFast(allowance) };
    const { limit, remaining, resetSeconds } = allowance;
    return { report: { requested, maximum: limits.cost, window: { limit, remaining, resetSeconds } } };
  }

  return {
    async onExecute({ args, setResultAndStopExecution }) {
      const { report, refusal } = await charge(args);
      if (refusal) {
        setResultAndStopExecution({ errors: [refusal] });
        return undefined;
      }
      let isFirst = true;
      return {
        onExecuteDone: (payload) =>
          handleStreamOrSingleExecutionResult(payload, ({ result, setResult }) => {
            if (isFirst) setResult({ ...result, extensions: { ...result.extensions, cost: report } });
            isFirst = false;
          }),
      };
    },
    async onSubscribe({ args, setResultAndStopExecution }) {
      const { refusal } = await charge(args);
      if (refusal) setResultAndStopExecution({ errors: [refusal] });
    },
  };
}

const points = new Intl.NumberFormat('en');

function tooDear(requested: number, maximum: number): GraphQLError {
  const costs = Number.isFinite(requested)
    ? `${points.format(requested)} points`
    : 'more than can be counted';
  return problem(
    'LIMIT_EXCEEDED',
    `The operation costs ${costs}; at most ${points.format(maximum)} are allowed. Ask for smaller pages or fewer lists.`,
    { cost: { requested: Number.isFinite(requested) ? requested : null, maximum } },
  );
}

function tooFast({ limit, resetSeconds }: Allowance): GraphQLError {
  return problem(
    'RATE_LIMITED',
    `The ${points.format(limit)} points of this window are used up. Try again in ${resetSeconds} s.`,
    {
      retryAfterSeconds: resetSeconds,
      http: { status: 429, headers: { 'retry-after': String(resetSeconds) } },
    },
  );
}

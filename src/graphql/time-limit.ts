import type { Plugin } from 'graphql-yoga';
import type { ApiLimits } from '../domain/api-limits.ts';
import { problem } from './errors.ts';

/**
 * A query or mutation that has no answer in time gets an error instead. What it asked of the database ends by the
 * statement's own limit, which is shorter by default.
 */
export function useTimeLimit({ operationSeconds }: Pick<ApiLimits, 'operationSeconds'>): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args) => {
        const answer: unknown = executeFn(args);
        return answer instanceof Promise ? within(operationSeconds, answer) : answer;
      });
    },
  };
}

/** @returns the answer, or after so long one that has none */
function within(seconds: number, answer: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve({ errors: [tooLate(seconds)] }), seconds * 1_000);
    answer.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

const tooLate = (seconds: number) =>
  problem(
    'TIMEOUT',
    `The operation had no answer after ${seconds} s and was given up. A mutation may still take effect.`,
    { http: { status: 503 } },
  );

import type { Plugin } from 'graphql-yoga';
import type { GraphQLContext } from '../context.ts';
import { guardOf } from './guard.ts';

/** Runs no operation of which the caller may not use every field. */
export function useAuthorization(): Plugin<GraphQLContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const refusal = guardOf(args)();
      if (refusal) setResultAndStopExecution({ data: null, errors: [refusal] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const refusal = guardOf(args)();
      if (refusal) setResultAndStopExecution({ errors: [refusal] });
    },
  };
}

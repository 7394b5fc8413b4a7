import { GraphQLError } from 'graphql';
import type { ApiLimits } from '../domain/api-limits.ts';
import { problem } from './errors.ts';

/** What Yoga says about a request that has too much, in the words of all our limits; anything else as it is. */
export function restateBatchLimit(error: unknown, { batchSize }: Pick<ApiLimits, 'batchSize'>): unknown {
  if (!(error instanceof GraphQLError)) return error;
  if (error.message.startsWith('Batching is limited')) {
    const message = `The request has too many operations; at most ${batchSize} are allowed in one.`;
    return problem('LIMIT_EXCEEDED', message, { http: error.extensions.http });
  }
  return error;
}

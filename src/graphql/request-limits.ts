import { GraphQLError } from 'graphql';
import type { ApiLimits } from '../domain/api-limits.ts';
import { problem } from './errors.ts';

type RequestLimits = Pick<ApiLimits, 'bodyBytes' | 'batchSize'>;

const bytes = new Intl.NumberFormat('en');

/** What Yoga says about a request that is too large, in the words of all our limits; anything else as it is. */
export function restateRequestLimit(error: unknown, { bodyBytes, batchSize }: RequestLimits): unknown {
  if (!(error instanceof GraphQLError)) return error;
  const { code, http } = error.extensions;
  if (code === 'REQUEST_ENTITY_TOO_LARGE') {
    const message = `The request's body is too large; at most ${bytes.format(bodyBytes)} bytes are allowed.`;
    return problem('LIMIT_EXCEEDED', message, { http });
  }
  if (error.message.startsWith('Batching is limited')) {
    const message = `The request has too many operations; at most ${batchSize} are allowed in one.`;
    return problem('LIMIT_EXCEEDED', message, { http });
  }
  return error;
}

import { GraphQLError, type ExecutionResult } from 'graphql';
import { handleStreamOrSingleExecutionResult, type Plugin } from 'graphql-yoga';
import { UserFacingError } from '../domain/errors.ts';
import type { Log } from '../lib/log.ts';
import { isDatabaseAway } from '../repositories/away.ts';
import type { GraphQLContext } from './context.ts';
import type { LivePart, LiveResult } from './encode-result.ts';

/** For errors outside of an operation: there is no request to name. */
const NO_REQUEST = 'none';

/**
 * What the caller sees of an error: one with a code as it is, a mistake in variables or document as BAD_USER_INPUT, a
 * database that is away as UNAVAILABLE, so that clients try again, and all else as INTERNAL_SERVER_ERROR with the
 * request's id, under which the log has the rest.
 */
export function maskError(error: unknown, log: Log, requestId: string = NO_REQUEST): GraphQLError {
  const cause = originOf(error);
  if (cause instanceof UserFacingError) return recoded(error, cause.message, 'BAD_USER_INPUT');
  if (error instanceof GraphQLError && cause instanceof GraphQLError) {
    if (typeof error.extensions['code'] === 'string') return withoutOriginal(error);
    // Without a path it is about the request itself: a variable of the wrong type, an unknown operation.
    if (error.path === undefined) return recoded(error, error.message, 'BAD_USER_INPUT');
  }
  const where = { err: cause, requestId, path: error instanceof GraphQLError ? error.path : undefined };
  if (isDatabaseAway(cause)) {
    log.warn(where, 'the database was away during an operation');
    return recoded(error, 'The database does not answer just now. Try again.', 'UNAVAILABLE');
  }
  log.error(where, 'an operation met a defect');
  const masked = recoded(
    error,
    `Something went wrong on our side. Request ${requestId}.`,
    'INTERNAL_SERVER_ERROR',
  );
  masked.extensions['requestId'] = requestId;
  return masked;
}

/** A result as its caller sees it; one without errors is the same object. */
export function maskResult(
  result: ExecutionResult & Pick<LiveResult, 'incremental'>,
  log: Log,
  requestId: string,
): ExecutionResult {
  const { errors, incremental } = result;
  const mask = (error: GraphQLError): GraphQLError => maskError(error, log, requestId);
  const masked = incremental?.some((part) => part.errors)
    ? { incremental: incremental.map((part) => maskPart(part, mask)) }
    : null;
  if (!errors && !masked) return result;
  return { ...result, ...(errors && { errors: errors.map(mask) }), ...masked };
}

/** What was deferred or streamed has errors of its own. */
function maskPart(part: LivePart, mask: (error: GraphQLError) => GraphQLError): LivePart {
  return part.errors ? { ...part, errors: part.errors.map(mask) } : part;
}

/** Masks the errors of every result of a query or mutation before it leaves the executor. */
export function useErrorMasking(log: Log): Plugin<GraphQLContext> {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone: (payload) =>
        handleStreamOrSingleExecutionResult(payload, ({ result, setResult }) =>
          setResult(maskResult(result, log, args.contextValue.requestId)),
        ),
    }),
  };
}

function originOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? originOf(error.originalError) : error;
}

/**
 * Yoga puts what the JSON parser said of a body, and quoted from it, beside its own words; and knows by it that 400 is
 * the status for every client.
 */
function withoutOriginal(error: GraphQLError): GraphQLError {
  if (!('originalError' in error.extensions)) return error;
  delete error.extensions['originalError'];
  error.extensions['http'] = { status: 400 };
  return error;
}

function recoded(error: unknown, message: string, code: string): GraphQLError {
  const at = error instanceof GraphQLError ? { nodes: error.nodes ?? null, path: error.path ?? null } : {};
  return new GraphQLError(message, { ...at, extensions: { code } });
}

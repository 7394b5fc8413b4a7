import { GraphQLError } from 'graphql';
import { UserFacingError, type UserError } from '../domain/errors.ts';

/** Codes of top-level errors that a resolver raises on purpose. */
export type ProblemCode =
  | 'BAD_USER_INPUT'
  | 'FORBIDDEN'
  | 'LIMIT_EXCEEDED'
  | 'NOT_FOUND'
  | 'PERSISTED_QUERY_NOT_FOUND'
  | 'RATE_LIMITED'
  | 'RESYNC'
  | 'TIMEOUT'
  | 'UNAUTHENTICATED';

/** An error that the caller is meant to read; anything without a code is masked. */
export function problem(
  code: ProblemCode,
  message: string,
  more: Record<string, unknown> = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...more } });
}

/** A query has no `userErrors`: a person's mistake there is a top-level error that names the argument. */
export function inputProblem(argument: readonly string[], message: string): GraphQLError {
  return problem('BAD_USER_INPUT', `${argument.join('.')}: ${message}`, { argument });
}

/** Runs a query's part that may find a person's mistake, and turns it into a top-level error. */
export async function withInputProblems<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    throw problem('BAD_USER_INPUT', error.message, { argument: error.errors[0]?.field ?? null });
  }
}

/** What every payload carries beside its own fields. */
export interface WithUserErrors {
  readonly userErrors: readonly UserError[];
}

/** Runs a mutation; a person's mistake becomes `userErrors` beside `empty`, all else is thrown on. */
export async function withUserErrors<T extends object>(
  empty: T,
  run: () => Promise<T>,
): Promise<T & WithUserErrors> {
  try {
    return { ...(await run()), userErrors: [] };
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    return { ...empty, userErrors: error.errors };
  }
}

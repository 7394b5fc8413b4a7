import { UserFacingError } from '../domain/errors.ts';
import { withoutNul } from '../lib/canonical-json.ts';
import { inputProblem } from './errors.ts';
import { SEARCH_LENGTH_MAX, SEARCH_LENGTH_MIN } from './limits.ts';

/**
 * What is searched for, in lower case and without blanks around it.
 * @throws UserFacingError when it is shorter or longer than the index serves
 */
export function searchText(search: string, argument: readonly string[]): string {
  const text = withoutNul(search).trim();
  if (text.length >= SEARCH_LENGTH_MIN && text.length <= SEARCH_LENGTH_MAX) return text.toLowerCase();
  const message = `expected ${SEARCH_LENGTH_MIN} to ${SEARCH_LENGTH_MAX} characters, got ${text.length}.`;
  throw UserFacingError.of('INVALID', argument, message);
}

/** The same for a query. @throws GraphQLError that names the argument */
export function searchArgument(search: string, argument: readonly string[]): string {
  try {
    return searchText(search, argument);
  } catch (error) {
    throw error instanceof UserFacingError ? inputProblem(argument, error.message) : error;
  }
}

/**
 * A condition on a column of lower-case text: holds where it contains `search`, each character as itself.
 * @throws GraphQLError as `searchArgument`
 */
export function searchCondition(search: string, argument: readonly string[]) {
  // Prisma puts the text into an ILIKE pattern as it is.
  const escaped = searchArgument(search, argument).replaceAll(/[\\%_]/g, String.raw`\$&`);
  return { contains: escaped, mode: 'insensitive' } as const;
}

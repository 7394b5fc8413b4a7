import { inputProblem } from './errors.ts';
import { SEARCH_LENGTH_MAX, SEARCH_LENGTH_MIN } from './limits.ts';

/**
 * A condition on a column of lower-case text: holds where it contains `search`, each character as itself.
 * @throws GraphQLError that names the argument when the search is shorter or longer than the index serves
 */
export function searchCondition(search: string, argument: readonly string[]) {
  const text = search.trim();
  if (text.length < SEARCH_LENGTH_MIN || text.length > SEARCH_LENGTH_MAX) {
    throw inputProblem(
      argument,
      `expected ${SEARCH_LENGTH_MIN} to ${SEARCH_LENGTH_MAX} characters, got ${text.length}.`,
    );
  }
  // Prisma puts the text into an ILIKE pattern as it is.
  const escaped = text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`);
  return { contains: escaped, mode: 'insensitive' } as const;
}

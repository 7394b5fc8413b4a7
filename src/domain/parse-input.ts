import type { z } from 'zod';
import { UserFacingError } from './errors.ts';

/**
 * A mutation's `input` as its schema takes it.
 * @param nameOf our name of a field to the caller's, where they differ
 * @throws UserFacingError with one error per field that is wrong, each with its path
 */
export function parseInput<S extends z.ZodType>(
  schema: S,
  value: unknown,
  nameOf: (field: string) => string = (field) => field,
): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserFacingError(
    parsed.error.issues.map(({ path, message }) => ({
      code: 'INVALID',
      field: ['input', ...path.map((step) => nameOf(String(step)))],
      message,
    })),
  );
}

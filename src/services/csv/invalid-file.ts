import { JobFailure } from '../../domain/errors.ts';

/** A file that no later attempt can read. `message` is for the person who uploaded it: what it is, what to do. */
export function invalidFile(message: string, cause?: unknown): JobFailure {
  return JobFailure.permanent('INVALID_FILE', message, cause);
}

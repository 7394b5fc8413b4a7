import type { JobErrorCode, JobFieldsFragment, UserErrorFieldsFragment } from './generated/graphql.ts';

/** A GraphQL error as it comes over the wire. */
export interface WireError {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** The server answered with errors, or with something that is no GraphQL answer. */
export class MillraceError extends Error {
  override readonly name: string = 'MillraceError';
  /** `extensions.code` of the first error, e.g. UNAUTHENTICATED; null where the server gave none */
  readonly code: string | null;
  readonly errors: readonly WireError[];

  constructor(message: string, errors: readonly WireError[] = [], code: string | null = null) {
    super(message);
    const given = errors[0]?.extensions?.['code'];
    this.code = code ?? (typeof given === 'string' ? given : null);
    this.errors = errors;
  }
}

/** The server could not be reached, or the link broke: the same call may work later. */
export class MillraceConnectionError extends MillraceError {
  override readonly name = 'MillraceConnectionError';
}

/** A mistake that a person can mend: what `userErrors` of a mutation said. */
export class MillraceUserError extends Error {
  override readonly name = 'MillraceUserError';
  readonly errors: readonly UserErrorFieldsFragment[];

  constructor(errors: readonly UserErrorFieldsFragment[]) {
    super(
      errors.map(({ field, message }) => (field ? `${field.join('.')}: ${message}` : message)).join('; '),
    );
    this.errors = errors;
  }
}

/** A job ended without a result: it failed or was cancelled. */
export class MillraceJobError extends Error {
  override readonly name = 'MillraceJobError';
  /** As it ended */
  readonly job: JobFieldsFragment;
  /** Why it failed; null when it was cancelled */
  readonly code: JobErrorCode | null;

  constructor(job: JobFieldsFragment) {
    const why = job.errorMessage ?? job.cancelReason;
    super(`The job ${job.id} ended ${job.status}${why === null ? '.' : `: ${why}`}`);
    this.job = job;
    this.code = job.errorCode;
  }
}

/** @throws MillraceUserError when a payload carries any */
export function throwUserErrors(payload: { readonly userErrors: readonly UserErrorFieldsFragment[] }): void {
  if (payload.userErrors.length > 0) throw new MillraceUserError(payload.userErrors);
}

/** For errors of the answer itself. */
export function errorOf(errors: readonly WireError[]): MillraceError {
  return new MillraceError(errors.map(({ message }) => message).join('; '), errors);
}

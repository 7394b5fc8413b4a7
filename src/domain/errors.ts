/** Codes of `Job.errorCode`; the list may grow, nothing is taken away. */
export const JOB_ERROR_CODES = [
  'INTERNAL',
  'TIMEOUT',
  'ATTEMPTS_EXHAUSTED',
  'INVALID_FILE',
  'ALL_ROWS_REJECTED',
  'SOURCE_EXPIRED',
  'PROVIDER_AUTH',
  'PROVIDER_FORBIDDEN',
  'PROVIDER_UNAVAILABLE',
  'PROVIDER_REJECTED',
  'CHILD_FAILED',
] as const;
export type JobErrorCode = (typeof JOB_ERROR_CODES)[number];

/** Codes of `userErrors`: what a person did and can mend. */
export const USER_ERROR_CODES = [
  'INVALID',
  'NOT_FOUND',
  'CONFLICT',
  'IDEMPOTENCY_CONFLICT',
  'NOT_ALLOWED',
  'RATE_LIMITED',
  'LIMIT_REACHED',
  'NOT_CONNECTED',
  'TOO_LARGE',
  'EXPIRED',
  'UNAVAILABLE',
] as const;
export type UserErrorCode = (typeof USER_ERROR_CODES)[number];

/** A person's mistake, as data. `field` is the path into the mutation's arguments. */
export interface UserError {
  readonly code: UserErrorCode;
  readonly field: readonly string[] | null;
  readonly message: string;
}

/** Thrown where a person's mistake is found; a mutation's resolver turns it into `userErrors`. */
export class UserFacingError extends Error {
  override readonly name = 'UserFacingError';
  readonly errors: readonly UserError[];
  constructor(errors: readonly UserError[]) {
    super(errors.map((error) => error.message).join('; '));
    this.errors = errors;
  }
  static of(code: UserErrorCode, field: readonly string[] | null, message: string): UserFacingError {
    return new UserFacingError([{ code, field, message }]);
  }
}

/** What may come after a failed attempt. */
type NextTry =
  /** No later attempt can succeed */
  | { readonly type: 'never' }
  /** Another attempt, after the kind's backoff or, if given, in so many ms */
  | { readonly type: 'retry'; readonly afterMs?: number | undefined }
  /** Nothing is wrong with the job: it goes on in so many ms, and no attempt is used */
  | { readonly type: 'snooze'; readonly afterMs: number };

/**
 * How a handler says that an attempt failed: `message` is for people and is stored on the job, `cause` goes to the
 * log. Anything else that a handler throws counts as retryable and INTERNAL, and its message stays in the log.
 */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly code: JobErrorCode;
  readonly next: NextTry;
  constructor(code: JobErrorCode, message: string, next: NextTry, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.next = next;
  }
  static permanent(code: JobErrorCode, message: string, cause?: unknown): JobFailure {
    return new JobFailure(code, message, { type: 'never' }, cause);
  }
  /** @param afterMs as a provider's Retry-After says it; the kind's backoff when absent */
  static retryable(code: JobErrorCode, message: string, cause?: unknown, afterMs?: number): JobFailure {
    return new JobFailure(code, message, { type: 'retry', afterMs }, cause);
  }
  /** A provider asked for a pause: the job waits for `afterMs` without holding a worker. */
  static rateLimited(message: string, afterMs: number, cause?: unknown): JobFailure {
    return new JobFailure('PROVIDER_UNAVAILABLE', message, { type: 'snooze', afterMs }, cause);
  }
  /** The account's credentials no longer work: only a person can mend that. */
  static providerAuth(message: string, cause?: unknown): JobFailure {
    return JobFailure.permanent('PROVIDER_AUTH', message, cause);
  }
}

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

interface JobFailureOptions {
  readonly retryable: boolean;
  /** Earliest next attempt, in ms from now; the kind's backoff when absent */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * How a handler says that an attempt failed: `message` is for people and is stored on the job, `cause` goes to the
 * log. Anything else that a handler throws counts as retryable and INTERNAL, and its message stays in the log.
 */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
  readonly code: JobErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  constructor(code: JobErrorCode, message: string, options: JobFailureOptions) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
  /** No later attempt can succeed. */
  static permanent(code: JobErrorCode, message: string, cause?: unknown): JobFailure {
    return new JobFailure(code, message, { retryable: false, cause });
  }
  static retryable(code: JobErrorCode, message: string, cause?: unknown): JobFailure {
    return new JobFailure(code, message, { retryable: true, cause });
  }
}

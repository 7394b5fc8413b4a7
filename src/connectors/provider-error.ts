/** What went wrong between us and a provider, told apart by what has to happen next. */
export type ProviderErrorKind =
  /** The credentials are over: only a person, or a refresh, can mend that */
  | 'auth_expired'
  /** They are good, and lack a permission */
  | 'forbidden_scope'
  /** Come back at `resumeAt` */
  | 'rate_limited'
  /** May work in a while */
  | 'transient'
  /** Will never work: our request is wrong, or the account is not what we think */
  | 'bad_request';

interface ProviderErrorDetails {
  /** The provider's own id of the request, for its support */
  readonly requestId?: string | null;
  /** When the provider will listen again; only with `rate_limited` */
  readonly resumeAt?: Date;
  /** Permission that is missing, in the provider's words; only with `forbidden_scope` */
  readonly scope?: string;
  readonly cause?: unknown;
}

/** `message` is for people: it names what the provider said, and holds neither a credential nor a whole body. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly kind: ProviderErrorKind;
  readonly requestId: string | null;
  readonly resumeAt: Date | null;
  readonly scope: string | null;

  constructor(kind: ProviderErrorKind, message: string, details: ProviderErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.requestId = details.requestId ?? null;
    this.resumeAt = details.resumeAt ?? null;
    this.scope = details.scope ?? null;
  }
}

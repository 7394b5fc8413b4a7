import { ProviderError } from '../../../src/connectors/provider-error.ts';
import { JobFailure, type JobErrorCode } from '../../../src/domain/errors.ts';

/** A provider that asks for more patience than this is left alone: the sync ends early and another goes on then, in ms. */
const SNOOZE_MS_MAX = 15 * 60_000;
/** When a provider does not say how long, in ms */
const PAUSE_MS = 60_000;

/** What becomes of a sync after a provider's error. */
export type AfterError =
  /** Nothing of this account can be read until a person connects it anew */
  | { readonly type: 'refused'; readonly failure: JobFailure }
  /** The job goes on by itself, and holds no worker meanwhile */
  | { readonly type: 'snooze'; readonly failure: JobFailure }
  /** Enough for now: what is left is read by a later sync, not before `until` */
  | { readonly type: 'quota'; readonly message: string; readonly until: Date }
  /** This entity cannot be read; the others may */
  | {
      readonly type: 'entity';
      readonly code: JobErrorCode;
      readonly message: string;
      /** Another attempt may help */
      readonly mayRetry: boolean;
      /** The permission that is missing, in the provider's words */
      readonly scope: string | null;
    };

/** The one place that decides it. @throws whatever is no provider's error */
export function judge(error: unknown, now: Date): AfterError {
  if (!(error instanceof ProviderError)) throw error;
  const { message, scope } = error;
  switch (error.kind) {
    case 'auth_expired':
      return { type: 'refused', failure: JobFailure.providerAuth(message, error) };
    case 'rate_limited': {
      const until = error.resumeAt ?? new Date(now.getTime() + PAUSE_MS);
      const waitMs = Math.max(1_000, until.getTime() - now.getTime());
      if (waitMs > SNOOZE_MS_MAX) return { type: 'quota', message, until };
      return { type: 'snooze', failure: JobFailure.rateLimited(message, waitMs, error) };
    }
    case 'forbidden_scope':
      return { type: 'entity', code: 'PROVIDER_FORBIDDEN', message, mayRetry: false, scope };
    case 'transient':
      return { type: 'entity', code: 'PROVIDER_UNAVAILABLE', message, mayRetry: true, scope: null };
    case 'bad_request':
      return { type: 'entity', code: 'PROVIDER_REJECTED', message, mayRetry: false, scope: null };
  }
}

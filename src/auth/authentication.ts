import type { Principal } from './principal.ts';

/** What a caller shows. */
export interface Credentials {
  readonly token: string;
  /** Which of their organizations is meant: our id ("org_…") or the identity provider's name for it; null: their only one */
  readonly organization: string | null;
}

/** Why somebody is let in to nothing, for people. */
export interface Refusal {
  /** UNAUTHENTICATED: nobody we know. FORBIDDEN: known, and not for this organization */
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN';
  readonly message: string;
}

export type Authentication =
  | { readonly principal: Principal; readonly refusal?: never }
  | { readonly principal?: never; readonly refusal: Refusal };

export const unauthenticated = (message: string): Authentication => ({
  refusal: { code: 'UNAUTHENTICATED', message },
});

export const forbidden = (message: string): Authentication => ({ refusal: { code: 'FORBIDDEN', message } });

/**
 * Says who shows credentials. What it knows may be `maxAgeMs` old, by default REVOCATION_DELAY_MS.
 * @throws Error when it cannot be known just now
 */
export type Authenticate = (credentials: Credentials | null, maxAgeMs?: number) => Promise<Authentication>;

/** A revoked key, a removed member or a changed role is noticed after this long, in ms. */
export const REVOCATION_DELAY_MS = 5_000;

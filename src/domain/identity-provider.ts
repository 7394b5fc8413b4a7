import type { Role } from './role.ts';

/** Where an identity provider's tokens say what we need. A name is a claim's own, or a path of names with dots between. */
export interface ClaimNames {
  readonly email: string;
  readonly name: string;
  /** Null: tokens name no organizations, and our own lists of members say who is in which */
  readonly organizations: string | null;
  /** Of the person in all organizations that the token names without a role of their own */
  readonly role: string;
  /** The provider's names of roles; ours are known without */
  readonly roles: ReadonlyMap<string, Role>;
}

/** Whose tokens we take beside our own keys, and how they are checked. */
export interface IdentityProviderConfig {
  /** Where it publishes the keys that it signs with */
  readonly jwksUrl: string;
  /** `iss` and `aud` that a token must have */
  readonly issuer: string;
  readonly audience: string;
  /** Two machines' clocks may differ by so much */
  readonly clockSkewSeconds: number;
  readonly claims: ClaimNames;
}

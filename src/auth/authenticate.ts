import type { ApiKeyVerifier } from './api-key-verifier.ts';
import { unauthenticated, type Authenticate } from './authentication.ts';
import type { IdentityProvider } from './identity-provider.ts';

/** Larger ones are refused unread: a JWT with many claims has some 2,000 characters. */
const TOKEN_LENGTH_MAX = 8_192;
const ORGANIZATION_LENGTH_MAX = 255;
/** Three parts in base64url: https://www.rfc-editor.org/rfc/rfc7515#section-3.1 */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

interface AuthenticatorOptions {
  readonly apiKeys: ApiKeyVerifier;
  /** Null: tokens of nobody else are taken */
  readonly identityProvider: IdentityProvider | null;
}

/** API keys of ours and, where an identity provider is configured, its tokens. */
export function createAuthenticator({ apiKeys, identityProvider }: AuthenticatorOptions): Authenticate {
  return async (credentials, maxAgeMs) => {
    if (!credentials || credentials.token === '') {
      return unauthenticated('A token is needed: send it as "Authorization: Bearer <token>".');
    }
    const { token, organization } = credentials;
    if (token.length > TOKEN_LENGTH_MAX || (organization?.length ?? 0) > ORGANIZATION_LENGTH_MAX)
      return unauthenticated('The token or the name of the organization is too long.');
    if (identityProvider && JWT.test(token)) return identityProvider.verify(credentials, maxAgeMs);
    return apiKeys.verify(credentials, maxAgeMs);
  };
}

/** The token of an `Authorization: Bearer …` header, or null. */
export function bearerToken(header: string | null | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}

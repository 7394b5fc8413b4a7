import { z } from 'zod';
import { authorizeAddress, readTokens, S256, tokenClient, type ProviderOAuth } from '../oauth.ts';
import { ProviderError } from '../provider-error.ts';
import { SCOPE, TOKEN_BASE_URL } from './access-tokens.ts';
import type { Consent } from './credentials.ts';

const AUTHORIZE = 'https://accounts.google.com/o/oauth2/v2/auth';
/** As Google names itself in what it sends people back with (RFC 9207) */
const ISSUER = 'https://accounts.google.com';

const tokens = z.object({
  access_token: z.string().min(1),
  /** Only of `access_type=offline`, and after a consent */
  refresh_token: z.string().min(1).optional(),
  scope: z.string().default(SCOPE),
});

/** https://developers.google.com/identity/protocols/oauth2/web-server */
export const googleOAuth: ProviderOAuth<unknown, Consent> = {
  scopes: [SCOPE],
  authorizeUrl: (request) =>
    authorizeAddress(
      request.baseUrl === undefined ? AUTHORIZE : `${request.baseUrl}/o/oauth2/v2/auth`,
      request,
      {
        scope: SCOPE,
        code_challenge: request.codeChallenge,
        ...S256,
        // Without a consent of its own, an account that was connected before gets no refresh token.
        access_type: 'offline',
        prompt: 'consent',
      },
    ),
  isGenuine: ({ query }) => [null, ISSUER].includes(query.get('iss')),
  async exchange({ app, code, codeVerifier, redirectUri, clock, baseUrl = TOKEN_BASE_URL, backoff, signal }) {
    const form = {
      grant_type: 'authorization_code',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      code,
      code_verifier: codeVerifier,
      redirect_uri: redirectUri,
    };
    const client = tokenClient({ title: 'Google', baseUrl, clock, backoff });
    const answer = await client.request({ method: 'POST', path: '/token', form }, signal);
    const { refresh_token: refreshToken, scope } = readTokens('Google', tokens, answer);
    // A person may untick what was asked for.
    if (!scope.split(' ').includes(SCOPE))
      throw new ProviderError('forbidden_scope', 'Google Analytics may not be read: it was not allowed.', {
        scope: SCOPE,
      });
    if (refreshToken === undefined)
      throw new ProviderError('auth_expired', 'Google gave no access that lasts. Try again.');
    return { ...app, refreshToken };
  },
};

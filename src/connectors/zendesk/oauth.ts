import { authorizeAddress, endsAt, readTokens, S256, tokenClient, type ProviderOAuth } from '../oauth.ts';
import { TITLE } from './protocol.ts';
import { addressOf, type ZendeskConfig } from './settings.ts';
import { grant, type ZendeskCredentials } from './tokens.ts';

const SCOPE = 'read';
/** The longest that Zendesk gives, in s: a connection that is not read for so long has to be allowed anew. */
const REFRESH_SECONDS = 90 * 24 * 60 * 60;

/**
 * https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/ and, for PKCE,
 * https://developer.zendesk.com/documentation/api-basics/authentication/oauth-pkce
 */
export const zendeskOAuth: ProviderOAuth<ZendeskConfig, ZendeskCredentials> = {
  scopes: [SCOPE],
  authorizeUrl: (request) =>
    authorizeAddress(`${request.baseUrl ?? addressOf(request.config)}/oauth/authorizations/new`, request, {
      scope: SCOPE,
      code_challenge: request.codeChallenge,
      ...S256,
    }),
  async exchange({ app, config, code, codeVerifier, redirectUri, clock, baseUrl, backoff, signal }) {
    const json = {
      grant_type: 'authorization_code',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      code,
      code_verifier: codeVerifier,
      redirect_uri: redirectUri,
      scope: SCOPE,
      refresh_token_expires_in: REFRESH_SECONDS,
    };
    const client = tokenClient({ title: TITLE, baseUrl: baseUrl ?? addressOf(config), clock, backoff });
    const answer = await client.request({ method: 'POST', path: '/oauth/tokens', json }, signal);
    const given = readTokens(TITLE, grant, answer);
    return {
      ...app,
      accessToken: given.access_token,
      refreshToken: given.refresh_token ?? undefined,
      expiresAt: given.expires_in == null ? undefined : endsAt(clock, given.expires_in),
    };
  },
};

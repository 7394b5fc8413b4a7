import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import {
  authorizeAddress,
  endsAt,
  readTokens,
  tokenClient,
  type AuthorizationCallback,
  type ProviderOAuth,
} from '../oauth.ts';
import type { ShopifyCredentials } from './credentials.ts';
import { hostOf, SCOPES, type ShopifyConfig } from './settings.ts';

const tokens = z.object({
  access_token: z.string().min(1),
  /** In s, and with a refresh token: this app's tokens expire */
  expires_in: z.int().positive().optional(),
  refresh_token: z.string().min(1).optional(),
});

/**
 * Tokens of the kind that expires: public apps may have no others. Shopify has no PKCE; it signs what people come back
 * with.
 * @see https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
 */
export const shopifyOAuth: ProviderOAuth<ShopifyConfig, ShopifyCredentials> = {
  scopes: SCOPES,
  authorizeUrl: (request) =>
    authorizeAddress(
      `${request.baseUrl ?? `https://${hostOf(request.config)}`}/admin/oauth/authorize`,
      request,
      {
        scope: SCOPES.join(','),
      },
    ),
  isGenuine,
  async exchange({ app, config, code, clock, baseUrl = `https://${hostOf(config)}`, backoff, signal }) {
    const form = { client_id: app.clientId, client_secret: app.clientSecret, code, expiring: '1' };
    const client = tokenClient({ title: 'Shopify', baseUrl, clock, backoff });
    const answer = await client.request({ method: 'POST', path: '/admin/oauth/access_token', form }, signal);
    const given = readTokens('Shopify', tokens, answer);
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = given;
    if (refreshToken === undefined || seconds === undefined) return { accessToken };
    return { ...app, accessToken, refreshToken, expiresAt: endsAt(clock, seconds) };
  },
};

/** Of this shop, and signed with the app's secret: all parameters but the signature, by name. */
function isGenuine({ app, config, query }: AuthorizationCallback<ShopifyConfig>): boolean {
  const given = Buffer.from(query.get('hmac') ?? '', 'hex');
  const signed = [...query]
    .filter(([name]) => name !== 'hmac')
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const expected = createHmac('sha256', app.clientSecret).update(signed).digest();
  const isSigned = given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
  return isSigned && query.get('shop') === hostOf(config);
}

import { z } from 'zod';
import { authorizeAddress, readTokens, tokenClient, type ProviderOAuth } from '../oauth.ts';
import { ORIGIN, VERSION, type MetaConfig } from './graph.ts';

interface Consent {
  readonly accessToken: string;
  readonly appSecret: string;
}

const DIALOG = 'https://www.facebook.com';

/** Of all that a connection may read: people untick what they do not want. */
const SCOPES = [
  'ads_read',
  'read_insights',
  'pages_read_engagement',
  'pages_show_list',
  'instagram_basic',
  'instagram_manage_insights',
] as const;

const tokens = z.object({ access_token: z.string().min(1) });

/**
 * A code gives a person's token of an hour or two, which is exchanged for one of some 60 days; nothing renews that, so
 * jobs are better served by a system user's token. No PKCE.
 * @see https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
 * @see https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
 */
export const metaOAuth: ProviderOAuth<MetaConfig, Consent> = {
  scopes: SCOPES,
  authorizeUrl: (request) =>
    authorizeAddress(`${request.baseUrl ?? DIALOG}/${VERSION}/dialog/oauth`, request, {
      scope: SCOPES.join(','),
    }),
  async exchange({ app, code, redirectUri, clock, baseUrl = ORIGIN, backoff, signal }) {
    const client = tokenClient({ title: 'Meta', baseUrl: `${baseUrl}/${VERSION}`, clock, backoff });
    const own = { client_id: app.clientId, client_secret: app.clientSecret };
    const ask = async (query: Readonly<Record<string, string>>): Promise<string> => {
      const answer = await client.request(
        { path: '/oauth/access_token', query: { ...own, ...query } },
        signal,
      );
      return readTokens('Meta', tokens, answer).access_token;
    };
    const short = await ask({ redirect_uri: redirectUri, code });
    const accessToken = await ask({ grant_type: 'fb_exchange_token', fb_exchange_token: short });
    return { accessToken, appSecret: app.clientSecret };
  },
};

import { z } from 'zod';
import { authorizeAddress, readTokens, tokenClient, type ProviderOAuth } from '../oauth.ts';
import { TITLE } from './answer.ts';
import { dataCenter, type Config, type Credentials } from './settings.ts';

const LOGIN = 'https://login.mailchimp.com';

const tokens = z.object({ access_token: z.string().min(1) });
/** Whose token it is, and where they live */
const metadata = z.object({ dc: dataCenter });

/**
 * Its tokens do not expire, it knows neither scopes nor PKCE.
 * @see https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/
 */
export const mailchimpOAuth: ProviderOAuth<Config, Credentials> = {
  scopes: [],
  authorizeUrl: (request) => authorizeAddress(`${request.baseUrl ?? LOGIN}/oauth2/authorize`, request, {}),
  async exchange({ app, code, redirectUri, clock, baseUrl = LOGIN, backoff, signal }) {
    const form = {
      grant_type: 'authorization_code',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      redirect_uri: redirectUri,
      code,
    };
    const client = tokenClient({ title: TITLE, baseUrl, clock, backoff });
    const answer = await client.request({ method: 'POST', path: '/oauth2/token', form }, signal);
    const { access_token: accessToken } = readTokens(TITLE, tokens, answer);
    const headers = { authorization: `OAuth ${accessToken}` };
    const about = await client.request({ path: '/oauth2/metadata', headers }, signal);
    return { accessToken, dataCenter: readTokens(TITLE, metadata, about).dc };
  },
};

import { z } from 'zod';
import type { OAuthApps } from '../domain/oauth-app.ts';

/** Visible ASCII: they travel in addresses and forms. */
const text = z
  .string()
  .regex(/^[\x21-\x7e]{1,500}$/, 'expected visible characters without spaces')
  .optional();

/** Apps that an operator registered at providers, so that people connect accounts there without keys. */
export const oauthVariables = z.object({
  OAUTH_GOOGLE_ANALYTICS_CLIENT_ID: text,
  OAUTH_GOOGLE_ANALYTICS_CLIENT_SECRET: text,
  OAUTH_SHOPIFY_CLIENT_ID: text,
  OAUTH_SHOPIFY_CLIENT_SECRET: text,
  OAUTH_ZENDESK_CLIENT_ID: text,
  OAUTH_ZENDESK_CLIENT_SECRET: text,
  OAUTH_MAILCHIMP_CLIENT_ID: text,
  OAUTH_MAILCHIMP_CLIENT_SECRET: text,
  OAUTH_META_CLIENT_ID: text,
  OAUTH_META_CLIENT_SECRET: text,
});
type OAuthVariables = z.infer<typeof oauthVariables>;

/** By provider: what each app is known by, and what proves it. */
const PAIRS = {
  google_analytics: ['OAUTH_GOOGLE_ANALYTICS_CLIENT_ID', 'OAUTH_GOOGLE_ANALYTICS_CLIENT_SECRET'],
  shopify: ['OAUTH_SHOPIFY_CLIENT_ID', 'OAUTH_SHOPIFY_CLIENT_SECRET'],
  zendesk: ['OAUTH_ZENDESK_CLIENT_ID', 'OAUTH_ZENDESK_CLIENT_SECRET'],
  mailchimp: ['OAUTH_MAILCHIMP_CLIENT_ID', 'OAUTH_MAILCHIMP_CLIENT_SECRET'],
  meta: ['OAUTH_META_CLIENT_ID', 'OAUTH_META_CLIENT_SECRET'],
} as const;

/** Halves of apps: each is nothing without the other. */
export function halvesIn(given: OAuthVariables): string[] {
  return Object.values(PAIRS).flatMap(([id, secret]) => {
    if (Boolean(given[id]) === Boolean(given[secret])) return [];
    const [there, missing] = given[id] ? [id, secret] : [secret, id];
    return [`${there}: expected ${missing} beside it, got none`];
  });
}

export function toOAuthApps(given: OAuthVariables): OAuthApps {
  return Object.fromEntries(
    Object.entries(PAIRS).flatMap(([provider, [id, secret]]) => {
      const [clientId, clientSecret] = [given[id], given[secret]];
      return clientId && clientSecret ? [[provider, { clientId, clientSecret }]] : [];
    }),
  );
}

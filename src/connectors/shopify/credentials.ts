import { z } from 'zod';

/** The texts travel in headers and forms: anything but visible ASCII would end up, quoted, in an error of `fetch`. */
const secret = z
  .string()
  .min(1)
  .max(1_000)
  .regex(/^[\x21-\x7e]+$/, { error: 'expected visible characters without spaces' });
const moment = z.iso.datetime({ offset: true });

/** An app that was installed by authorization code: its token lasts an hour, its refresh token 90 days. */
const offlineToken = z.strictObject({
  clientId: secret,
  clientSecret: secret,
  accessToken: secret,
  expiresAt: moment,
  refreshToken: secret,
});

/** An app of one's own organization in one's own store: it asks for a token of a day whenever it needs one. */
const clientCredentials = z.strictObject({
  clientId: secret,
  clientSecret: secret,
  accessToken: secret.optional(),
  expiresAt: moment.optional(),
});

/** A custom app's token, which is good until the app is uninstalled. */
const adminToken = z.strictObject({ accessToken: secret });

/** @see https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens */
export const shopifyCredentials = z.union([offlineToken, clientCredentials, adminToken]);
export type ShopifyCredentials = z.infer<typeof shopifyCredentials>;
/** Those that we can get a new token with. */
export type RenewableCredentials = z.infer<typeof offlineToken> | z.infer<typeof clientCredentials>;

export function isRenewable(credentials: ShopifyCredentials): credentials is RenewableCredentials {
  return 'clientId' in credentials;
}

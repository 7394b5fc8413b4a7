import { z } from 'zod';
import { ProviderClient, type ProviderProtocol } from './client.ts';
import { defineConnector, type Account, type Connector, type OpenOptions } from './connector.ts';
import { ShopifyAccess } from './shopify/access.ts';
import { shopifyCredentials, type ShopifyCredentials } from './shopify/credentials.ts';
import { customers } from './shopify/customers.ts';
import { judge, judgeExchange, REQUEST_ID_HEADER } from './shopify/judge.ts';
import { shopifyOAuth } from './shopify/oauth.ts';
import { orders } from './shopify/orders.ts';
import { products } from './shopify/products.ts';
import { ask } from './shopify/query.ts';
import { hostOf, SCOPES, shopifyConfig, type ShopifyConfig } from './shopify/settings.ts';
import { shopifyWebhook } from './shopify/webhook.ts';

const TIMEOUT_MS = 30_000;

/** A shop by GraphQL Admin API. */
export const shopify: Connector = defineConnector({
  provider: 'shopify',
  title: 'Shopify',
  config: shopifyConfig,
  credentials: shopifyCredentials,
  open,
  check: (client, _config, signal) => check(client, signal),
  entities: { orders, products, customers },
  webhook: shopifyWebhook,
  oauth: shopifyOAuth,
});

function open(options: OpenOptions<ShopifyConfig, ShopifyCredentials>): ProviderClient {
  const { config: own, credentials: store, clock, backoff } = options;
  const timing = backoff ? { clock, backoff } : { clock };
  const shared = {
    title: 'Shopify',
    baseUrl: options.baseUrl ?? `https://${hostOf(own)}`,
    timeoutMs: TIMEOUT_MS,
    requestIdHeader: REQUEST_ID_HEADER,
  };
  const exchange: ProviderProtocol = {
    ...shared,
    headers: () => ({ accept: 'application/json' }),
    renew: () => Promise.resolve(false),
    judge: judgeExchange,
  };
  const access = new ShopifyAccess({
    store,
    clock,
    client: new ProviderClient({ protocol: exchange, ...timing }),
  });
  const protocol: ProviderProtocol = {
    ...shared,
    headers: async (signal) => ({
      accept: 'application/json',
      'x-shopify-access-token': await access.token(signal),
    }),
    renew: (signal) => access.renew(signal),
    judge,
  };
  return new ProviderClient({ protocol, ...timing });
}

const SHOP = `
  query Shop {
    shop { id name currencyCode ianaTimezone }
    currentAppInstallation { accessScopes { handle } }
  }
`;

const shopData = z.object({
  shop: z.object({
    id: z.string(),
    name: z.string(),
    currencyCode: z.string(),
    ianaTimezone: z.string(),
  }),
  currentAppInstallation: z.object({ accessScopes: z.array(z.object({ handle: z.string() })) }),
});

async function check(client: ProviderClient, signal: AbortSignal): Promise<Account> {
  const { data } = await ask(client, { document: SHOP, data: shopData }, signal);
  const { shop, currentAppInstallation } = data;
  const granted = new Set(currentAppInstallation.accessScopes.map((scope) => scope.handle));
  // Who may write may read.
  const isGranted = (scope: string): boolean =>
    granted.has(scope) || granted.has(scope.replace('read_', 'write_'));
  return {
    id: shop.id,
    label: shop.name,
    timeZone: shop.ianaTimezone,
    currency: shop.currencyCode,
    missingScopes: SCOPES.filter((scope) => !isGranted(scope)),
  };
}

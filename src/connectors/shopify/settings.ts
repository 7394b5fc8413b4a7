import { z } from 'zod';

/** `read_all_orders` is for those older than 60 days; Shopify grants it on request. */
export const SCOPES = ['read_orders', 'read_all_orders', 'read_products', 'read_customers'] as const;

/** A label and no address: credentials go to Shopify's own domain alone. */
export const shopifyConfig = z.object({
  shop: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
      error: 'expected the first part of <shop>.myshopify.com, such as "my-shop"',
    }),
});
export type ShopifyConfig = z.infer<typeof shopifyConfig>;

export function hostOf({ shop }: ShopifyConfig): string {
  return `${shop}.myshopify.com`;
}

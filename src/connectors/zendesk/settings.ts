import { z } from 'zod';

export const zendeskConfig = z.object({
  /** "acme" of acme.zendesk.com: one label of a host name, never an address */
  subdomain: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'expected what stands before ".zendesk.com"' }),
});
export type ZendeskConfig = z.infer<typeof zendeskConfig>;

export function addressOf({ subdomain }: ZendeskConfig): string {
  return `https://${subdomain}.zendesk.com`;
}

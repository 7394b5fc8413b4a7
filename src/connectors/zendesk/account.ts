import { z } from 'zod';
import { isTimeZone } from '../../domain/period.ts';
import type { ProviderClient } from '../client.ts';
import type { Account } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { TITLE } from './protocol.ts';
import type { ZendeskConfig } from './settings.ts';

const timeZone = z.string().nullish().catch(null);

const me = z.object({
  user: z.object({ id: z.int(), role: z.string().nullish(), iana_time_zone: timeZone }),
});

/** The public specification leaves the account's time zone out; accounts answer with it. */
const settings = z.object({
  settings: z.object({ localization: z.object({ iana_time_zone: timeZone }).nullish() }),
});

/** Whose tickets these are, and whether we may export them: only admins may. */
export async function checkAccount(
  client: ProviderClient,
  { subdomain }: ZendeskConfig,
  signal: AbortSignal,
): Promise<Account> {
  const answer = await client.request({ path: '/api/v2/users/me' }, signal);
  const parsed = me.safeParse(answer.json);
  if (!parsed.success) throw new ProviderError('transient', `${TITLE} did not tell whose token this is.`);
  const { role, iana_time_zone: ownZone } = parsed.data.user;
  const zones = [await accountZone(client, signal), ownZone];
  return {
    id: subdomain,
    label: `${subdomain}.zendesk.com`,
    timeZone: zones.find((zone) => zone != null && isTimeZone(zone)) ?? null,
    currency: null,
    missingScopes: role == null || role === 'admin' ? [] : ['admin'],
  };
}

/** Null: not told, or not to us. */
async function accountZone(client: ProviderClient, signal: AbortSignal): Promise<string | null> {
  try {
    const { json } = await client.request({ path: '/api/v2/account/settings' }, signal);
    const parsed = settings.safeParse(json);
    return parsed.data?.settings.localization?.iana_time_zone ?? null;
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'forbidden_scope') return null;
    throw error;
  }
}

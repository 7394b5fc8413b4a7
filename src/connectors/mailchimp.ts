import { z } from 'zod';
import { isTimeZone } from '../domain/period.ts';
import { ProviderClient } from './client.ts';
import { defineConnector, type Account } from './connector.ts';
import { judge, read, REQUEST_ID, TITLE } from './mailchimp/answer.ts';
import { lists } from './mailchimp/lists.ts';
import { mailchimpOAuth } from './mailchimp/oauth.ts';
import { reports } from './mailchimp/reports.ts';
import { config, credentials, type Config, type Credentials } from './mailchimp/settings.ts';

/** Mailchimp's own limit for one request, in ms. */
const TIMEOUT_MS = 120_000;

function addressOf({ dataCenter }: Config, given: Credentials): string {
  const own = 'apiKey' in given ? given.apiKey.slice(given.apiKey.lastIndexOf('-') + 1) : given.dataCenter;
  return `https://${dataCenter ?? own}.api.mailchimp.com/3.0`;
}

function authorizationOf(given: Credentials): string {
  if ('accessToken' in given) return `Bearer ${given.accessToken}`;
  return `Basic ${Buffer.from(`millrace:${given.apiKey}`).toString('base64')}`;
}

const root = z.object({
  account_id: z.string().min(1),
  account_name: z.string(),
  account_timezone: z.string().default(''),
});

async function check(client: ProviderClient, _: Config, signal: AbortSignal): Promise<Account> {
  const query = { fields: Object.keys(root.shape).join(',') };
  const account = read(root, await client.request({ path: '/', query }, signal));
  return {
    id: account.account_id,
    label: account.account_name,
    timeZone: isTimeZone(account.account_timezone) ? account.account_timezone : null,
    // Each report names its own.
    currency: null,
    missingScopes: [],
  };
}

/**
 * Mailchimp's Marketing API 3.0 (https://mailchimp.com/developer/marketing/api/). It allows ten requests at a time and
 * tells nobody when to come again; we send one at a time.
 */
export const mailchimp = defineConnector<Config, Credentials>({
  provider: 'mailchimp',
  title: TITLE,
  config,
  credentials,
  open({ config, credentials, clock, baseUrl, backoff }) {
    const protocol = {
      title: TITLE,
      baseUrl: baseUrl ?? (async () => addressOf(config, await credentials.read())),
      timeoutMs: TIMEOUT_MS,
      requestIdHeader: REQUEST_ID,
      headers: async () => ({ authorization: authorizationOf(await credentials.read()) }),
      // Keys and tokens hold until a person takes them back.
      renew: () => Promise.resolve(false),
      judge,
    };
    return new ProviderClient({ protocol, clock, ...(backoff && { backoff }) });
  },
  check,
  entities: { reports, lists },
  oauth: mailchimpOAuth,
});

import { z } from 'zod';
import { isTimeZone } from '../domain/period.ts';
import { ProviderClient } from './client.ts';
import { defineConnector, type Account } from './connector.ts';
import { ProviderError } from './provider-error.ts';
import { judge, read, REQUEST_ID, TITLE } from './stripe/answer.ts';
import { balanceTransactions, LIST } from './stripe/balance-transactions.ts';
import { webhook } from './stripe/webhook.ts';

/** Without it each account would be answered by its own default (https://docs.stripe.com/api/versioning). */
const API_VERSION = '2026-10-28.endive';
/** One request takes no longer, in ms. */
const TIMEOUT_MS = 30_000;

const config = z.strictObject({
  /** A connected account to read in the place of the key's own */
  account: z
    .string()
    .regex(/^acct_\w{1,100}$/, { error: 'expected an account such as "acct_1032D82eZvKYlo2C"' })
    .optional(),
});

const credentials = z.strictObject({
  /** Restricted and read-only at best: accounts, balance transactions and what these come from */
  key: z.string().regex(/^[rs]k_\w{1,250}$/, { error: 'expected a key that begins with "rk_" or "sk_"' }),
});

type Config = z.infer<typeof config>;
type Credentials = z.infer<typeof credentials>;

const ownAccount = z.object({
  id: z.string().min(1),
  email: z.string().nullish(),
  default_currency: z.string().nullish(),
  business_profile: z.object({ name: z.string().nullish() }).nullish(),
  settings: z
    .object({
      dashboard: z.object({ display_name: z.string().nullish(), timezone: z.string().nullish() }).nullish(),
    })
    .nullish(),
});

/** Stripe counts in UTC unless the account's dashboard has a time zone. */
async function check(client: ProviderClient, _: Config, signal: AbortSignal): Promise<Account> {
  const account = read(ownAccount, await client.request({ path: '/v1/account' }, signal));
  const { display_name: displayName, timezone = null } = account.settings?.dashboard ?? {};
  return {
    id: account.id,
    label: [displayName, account.business_profile?.name, account.email].find(Boolean) ?? account.id,
    timeZone: timezone !== null && isTimeZone(timezone) ? timezone : 'Etc/UTC',
    currency: account.default_currency?.toUpperCase() ?? null,
    missingScopes: await missingScopes(client, signal),
  };
}

/** A key that may read the account may still lack what is read afterwards. */
async function missingScopes(client: ProviderClient, signal: AbortSignal): Promise<string[]> {
  try {
    await client.request({ ...LIST, query: { ...LIST.query, limit: 1 } }, signal);
    return [];
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'forbidden_scope') throw error;
    return [error.scope ?? 'balance_transactions'];
  }
}

/** Stripe's API (https://docs.stripe.com/api): what came into an account's balance, and what left it. */
export const stripe = defineConnector<Config, Credentials>({
  provider: 'stripe',
  title: TITLE,
  config,
  credentials,
  open({ config: { account }, credentials: store, clock, baseUrl = 'https://api.stripe.com', backoff }) {
    const pinned = { 'stripe-version': API_VERSION, ...(account && { 'stripe-account': account }) };
    return new ProviderClient({
      clock,
      ...(backoff && { backoff }),
      protocol: {
        title: TITLE,
        baseUrl,
        timeoutMs: TIMEOUT_MS,
        requestIdHeader: REQUEST_ID,
        headers: async () => ({ ...pinned, authorization: `Bearer ${(await store.read()).key}` }),
        // A key is good until a person takes it back.
        renew: async () => false,
        judge,
      },
    });
  },
  check,
  entities: { balance_transactions: balanceTransactions },
  webhook,
});

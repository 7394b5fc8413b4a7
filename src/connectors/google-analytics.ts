import { z } from 'zod';
import { isTimeZone } from '../domain/period.ts';
import { ProviderClient } from './client.ts';
import { defineConnector, type Account, type Connector, type OpenOptions } from './connector.ts';
import { openAccessTokens } from './google-analytics/access-tokens.ts';
import { credentials, type Credentials } from './google-analytics/credentials.ts';
import { judgeReport, TITLE } from './google-analytics/errors.ts';
import { googleOAuth } from './google-analytics/oauth.ts';
import { runReport } from './google-analytics/report.ts';
import { traffic, type Config } from './google-analytics/traffic.ts';

const config = z.object({
  propertyId: z
    .string()
    .regex(/^\d{1,20}$/, { error: 'expected the digits of a Google Analytics 4 property' }),
});

/** https://developers.google.com/analytics/devguides/reporting/data/v1/rest */
const BASE_URL = 'https://analyticsdata.googleapis.com';
/** The first request and two more: a property has 10 server errors an hour, and then nobody is answered. */
const TRIES_MAX = 3;

/** Google Analytics 4, by its Data API. */
export const googleAnalytics: Connector = defineConnector({
  provider: 'google_analytics',
  title: TITLE,
  config,
  credentials,
  open,
  check,
  entities: { traffic },
  oauth: googleOAuth,
});

function open(options: OpenOptions<Config, Credentials>): ProviderClient {
  const { clock, baseUrl = BASE_URL, backoff } = options;
  const tokens = openAccessTokens(options);
  return new ProviderClient({
    protocol: {
      title: TITLE,
      baseUrl,
      timeoutMs: 30_000,
      triesMax: TRIES_MAX,
      requestIdHeader: null,
      headers: async (signal) => ({ authorization: `Bearer ${await tokens.current(signal)}` }),
      renew: (signal) => tokens.renew(signal),
      judge: judgeReport,
    },
    clock,
    ...(backoff && { backoff }),
  });
}

/** Google tells time zone and currency of a property with any report of it; its name only by another API. */
async function check(client: ProviderClient, { propertyId }: Config, signal: AbortSignal): Promise<Account> {
  const query = {
    dimensions: [],
    metrics: ['sessions'],
    dateRanges: [{ startDate: 'today', endDate: 'today' }],
  };
  const { metadata } = await runReport(client, { propertyId, query, offset: 0 }, signal);
  const { timeZone = '', currencyCode = null } = metadata;
  return {
    id: propertyId,
    label: `${TITLE} property ${propertyId}`,
    timeZone: isTimeZone(timeZone) ? timeZone : null,
    currency: currencyCode,
    missingScopes: [],
  };
}

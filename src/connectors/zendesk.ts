import { ProviderClient, type ProviderProtocol } from './client.ts';
import { defineConnector, type Connector, type OpenOptions } from './connector.ts';
import { checkAccount } from './zendesk/account.ts';
import { zendeskOAuth } from './zendesk/oauth.ts';
import { judge, judgeGrant, REQUEST_ID_HEADER, TITLE } from './zendesk/protocol.ts';
import { addressOf, zendeskConfig, type ZendeskConfig } from './zendesk/settings.ts';
import { tickets } from './zendesk/tickets.ts';
import { zendeskCredentials, ZendeskTokens, type ZendeskCredentials } from './zendesk/tokens.ts';

/** A page of a thousand tickets takes its time. */
const TIMEOUT_MS = 60_000;

/**
 * Zendesk Support. By OAuth alone: its API tokens end on 30 April 2027 and cannot be made any more
 * (https://developer.zendesk.com/documentation/api-basics/authentication/oauth-migration).
 */
export const zendesk: Connector = defineConnector({
  provider: 'zendesk',
  title: TITLE,
  config: zendeskConfig,
  credentials: zendeskCredentials,
  open,
  check: checkAccount,
  entities: { tickets },
  oauth: zendeskOAuth,
});

function open(options: OpenOptions<ZendeskConfig, ZendeskCredentials>): ProviderClient {
  const { config, credentials, clock, backoff } = options;
  const baseUrl = options.baseUrl ?? addressOf(config);
  const ours = { clock, ...(backoff ? { backoff } : {}) };
  const accept = { accept: 'application/json' };
  const common = { title: TITLE, baseUrl, timeoutMs: TIMEOUT_MS, requestIdHeader: REQUEST_ID_HEADER };

  const granting: ProviderProtocol = {
    ...common,
    headers: () => accept,
    renew: async () => false,
    judge: judgeGrant,
  };
  const client = new ProviderClient({ protocol: granting, ...ours });
  const tokens = new ZendeskTokens({ client, store: credentials, clock });

  const protocol: ProviderProtocol = {
    ...common,
    headers: async (signal) => ({ ...accept, authorization: `Bearer ${await tokens.current(signal)}` }),
    renew: (signal) => tokens.renew(signal),
    judge,
  };
  return new ProviderClient({ protocol, ...ours });
}

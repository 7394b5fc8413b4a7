import { meta } from '../../../src/connectors/meta.ts';
import type { Account, OpenConnection, PulledPage } from '../../../src/connectors/connector.ts';
import { APP_SECRET, startMeta, TOKEN, type MetaMock, type MetaState } from './meta.ts';

/** All that is configured, for tests that need no less. */
export const EVERYTHING = { adAccountId: '1001', pageId: '2002', instagramId: '3003' };

export const ACCOUNT: Account = {
  id: 'act_1001',
  label: 'Acme Ads, Acme Shop, @acme.shop',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  missingScopes: [],
};

interface Options {
  readonly state?: Partial<MetaState>;
  readonly config?: Readonly<Record<string, string>>;
  readonly credentials?: Readonly<Record<string, string>>;
  /** As an ISO date with its time */
  readonly now?: string;
}

interface Run {
  readonly after?: unknown;
  readonly from?: string;
  readonly account?: Account;
  /** Called before the next page is asked for */
  readonly onPage?: (page: PulledPage) => void;
  readonly signal?: AbortSignal;
}

export interface MetaConnection extends MetaMock {
  readonly connection: OpenConnection;
  /** Reads until the end or an error, whatever comes first. */
  pull(entity: string, run?: Run): Promise<{ readonly pages: PulledPage[]; readonly error: unknown }>;
}

/** A connection to a mock of its own, at noon of a day in November. */
export async function openMeta({
  state = {},
  config = EVERYTHING,
  credentials = { accessToken: TOKEN, appSecret: APP_SECRET },
  now = '2026-11-10T12:00:00Z',
}: Options = {}): Promise<MetaConnection> {
  const mock = await startMeta(state);
  const connection = meta.open({
    config,
    credentials: { read: async () => credentials, replace: async () => true },
    clock: { now: () => new Date(now) },
    baseUrl: mock.server.url,
    backoff: { baseMs: 1, maxMs: 5 },
  });
  return {
    ...mock,
    connection,
    async pull(entity, run = {}) {
      const { after = null, from = '2026-11-04T12:00:00Z', account = ACCOUNT, onPage } = run;
      const { signal = new AbortController().signal } = run;
      const pages: PulledPage[] = [];
      try {
        for await (const page of connection.pull(entity, { account, from: new Date(from), after, signal })) {
          pages.push(page);
          onPage?.(page);
        }
        return { pages, error: null };
      } catch (error) {
        return { pages, error };
      }
    },
  };
}

/** Everything that an error says, causes included. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  return `${error.stack ?? ''} ${JSON.stringify(Object.entries(error))} ${error.cause ? wordsOf(error.cause) : ''}`;
}

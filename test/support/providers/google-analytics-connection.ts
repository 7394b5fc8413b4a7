import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import type {
  Account,
  CredentialStore,
  OpenConnection,
  PulledPage,
} from '../../../src/connectors/connector.ts';
import { googleAnalytics } from '../../../src/connectors/google-analytics.ts';
import { ProviderError } from '../../../src/connectors/provider-error.ts';
import type { BackoffPolicy } from '../../../src/lib/backoff.ts';
import { startGoogleAnalytics, type GoogleAnalyticsMock } from './google-analytics.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
export const SERVICE_ACCOUNT = { clientEmail: 'reader@shop.iam.gserviceaccount.com', privateKey };
export const CONSENT = { clientId: 'client-1', clientSecret: 'GOCSPX-secret', refreshToken: '1//refresh-1' };
/** A line of the key, and what every access token and every assertion begins with, among others */
const SECRETS = [
  privateKey.split('\n')[5] ?? '',
  CONSENT.clientSecret,
  CONSENT.refreshToken,
  'ya29.',
  'eyJhbGci',
];

export const ACCOUNT: Account = {
  id: '123456',
  label: 'Google Analytics property 123456',
  timeZone: 'America/New_York',
  currency: 'USD',
  missingScopes: [],
};

/** Where reports of the mock's property are asked for */
export const REPORT = '/v1beta/properties/123456:runReport';

interface Run {
  /** Default: noon of yesterday, UTC */
  readonly from?: string;
  readonly after?: unknown;
  readonly signal?: AbortSignal;
  readonly connection?: OpenConnection;
}

export interface GoogleAnalyticsBench {
  readonly mock: GoogleAnalyticsMock;
  readonly clock: { now(): Date; set(at: Date): void; pass(ms: number): void };
  connect(credentials?: unknown, backoff?: BackoffPolicy): OpenConnection;
  open(store: CredentialStore<unknown>, backoff?: BackoffPolicy): OpenConnection;
  check(connection?: OpenConnection): Promise<Account>;
  /** @param pages where they go as they come, so that those before a failure are seen too */
  pull(run?: Run, pages?: PulledPage[]): Promise<PulledPage[]>;
}

/** A mock, connections to it, and a clock that stands at 05:00 of 27 November in New York until it is told otherwise. */
export async function googleAnalyticsBench(): Promise<GoogleAnalyticsBench> {
  let at = new Date('2026-11-27T10:00:00Z');
  const clock = {
    now: () => at,
    set: (next: Date) => void (at = next),
    pass: (ms: number) => void (at = new Date(at.getTime() + ms)),
  };
  const { clientId: id, clientSecret: secret, refreshToken } = CONSENT;
  const serviceAccount = { email: SERVICE_ACCOUNT.clientEmail, publicKey };
  const mock = await startGoogleAnalytics({ serviceAccount, client: { id, secret, refreshToken } }, clock);
  const bench: GoogleAnalyticsBench = {
    mock,
    clock,
    connect: (credentials = CONSENT, backoff) =>
      bench.open({ read: async () => credentials, replace: async () => true }, backoff),
    open: (credentials, backoff = { baseMs: 1, maxMs: 5 }) =>
      googleAnalytics.open({
        config: { propertyId: '123456' },
        credentials,
        clock,
        baseUrl: mock.url,
        backoff,
      }),
    check: (connection = bench.connect()) => connection.check(new AbortController().signal),
    async pull(run = {}, pages = []) {
      const { after = null, signal = new AbortController().signal, connection = bench.connect() } = run;
      const from = new Date(run.from ?? '2026-11-26T12:00:00Z');
      for await (const page of connection.pull('traffic', { account: ACCOUNT, from, after, signal }))
        pages.push(page);
      return pages;
    },
  };
  return bench;
}

/** How it failed; whatever it was, it shows no credential. */
export async function failureOf(work: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const shown = inspect(error, { depth: 10, showHidden: true });
  if (SECRETS.some((secret) => shown.includes(secret))) throw new Error(`a credential is shown: ${shown}`);
  if (!(error instanceof ProviderError)) throw new Error(`expected a ProviderError, got ${shown}`);
  return error;
}

/** What a database has of it: a record that comes again replaces the one before. */
export function storedOf(pages: readonly PulledPage[]): ReadonlyMap<string, unknown> {
  const records = pages.flatMap((page) => page.records);
  return new Map(records.map(({ id, data }) => [id, data]));
}

export function addTwoDays(mock: GoogleAnalyticsMock): void {
  mock.property.visits.push(
    { date: '2026-11-26', channel: 'Direct', user: 'Ann', pageviews: 2, isNew: true, isEngaged: true },
    { date: '2026-11-26', channel: 'Organic Search', user: 'Ann', pageviews: 3, isEngaged: true },
    { date: '2026-11-26', channel: 'Organic Search', user: 'Ben', pageviews: 1, isNew: true },
    { date: '2026-11-27', channel: 'Direct', user: 'Ann', pageviews: 1 },
  );
}

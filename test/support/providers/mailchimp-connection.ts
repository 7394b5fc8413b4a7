import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import type {
  Account,
  CredentialStore,
  OpenConnection,
  PulledPage,
} from '../../../src/connectors/connector.ts';
import { mailchimp } from '../../../src/connectors/mailchimp.ts';
import type { ProviderError } from '../../../src/connectors/provider-error.ts';
import { MAILCHIMP_KEY, mailchimpReport, startMailchimp, type MailchimpMock } from './mailchimp.ts';

/** Everything in these tests happens at this moment, unless one says otherwise. */
export const NOW = new Date('2026-11-28T12:00:00.700Z');
const FROM = new Date('2026-10-01T00:00:00Z');

/** What `check` says of the mock's account. */
export const ACCOUNT: Account = {
  id: '8d3a3db4d97663a9074efcc16',
  label: 'Freddie’s Jokes',
  timeZone: 'America/New_York',
  currency: null,
  missingScopes: [],
};

interface Opened {
  /** Default: the mock's API key */
  readonly credentials?: unknown;
  /** Default: the mock's */
  readonly baseUrl?: string;
  /** Delay before the second try; default: 1 ms */
  readonly baseMs?: number;
  readonly now?: Date;
}

interface Pull extends Opened {
  readonly entity?: 'reports' | 'lists';
  readonly after?: unknown;
  readonly signal?: AbortSignal;
}

export interface MailchimpBench {
  /** The one of the test that runs */
  readonly mock: MailchimpMock;
  connection(opened?: Opened): OpenConnection;
  pull(pull?: Pull): AsyncIterable<PulledPage>;
  /** Sends campaigns, half an hour apart, and the newest is r1: r2 was before it, r3 before that … */
  campaigns(count: number): void;
  /** The same, and no page has more than two of them */
  smallPages(count: number): void;
}

/** A mock for each test of a file; it expects that none of them left Mailchimp's specification. */
export function mailchimpBench(): MailchimpBench {
  let current: MailchimpMock | null = null;
  const problems: string[] = [];
  beforeEach(async () => {
    current = await startMailchimp();
  });
  afterEach(async () => {
    problems.push(...(current?.problems ?? []));
    await current?.close();
  });
  afterAll(() => {
    expect(problems).toEqual([]);
  });
  const bench: MailchimpBench = {
    get mock() {
      if (!current) throw new Error('no test is running');
      return current;
    },
    connection({
      credentials = { apiKey: MAILCHIMP_KEY },
      baseUrl = bench.mock.url,
      baseMs = 1,
      now = NOW,
    } = {}) {
      const backoff = { baseMs, maxMs: Math.max(5, baseMs) };
      const clock = { now: () => now };
      return mailchimp.open({ config: {}, credentials: storeOf(credentials), clock, baseUrl, backoff });
    },
    pull: ({ entity = 'reports', after = null, signal = live(), ...opened } = {}) =>
      bench.connection(opened).pull(entity, { account: ACCOUNT, from: FROM, after, signal }),
    campaigns(count) {
      bench.mock.state.reports = Array.from({ length: count }, (_, index) => {
        const at = new Date(Date.UTC(2026, 10, 28, 9) - index * 30 * 60_000);
        return mailchimpReport(`r${index + 1}`, at.toISOString().replace('.000Z', '+00:00'));
      });
    },
    smallPages(count) {
      bench.campaigns(count);
      bench.mock.state.pageMax = 2;
    },
  };
  return bench;
}

export function storeOf(credentials: unknown): CredentialStore<unknown> {
  return { read: async () => credentials, replace: () => Promise.reject(new Error('nothing rotates')) };
}

export function live(): AbortSignal {
  return new AbortController().signal;
}

export interface Pulled {
  readonly pages: PulledPage[];
  /** What ended it; null: it came to its end */
  readonly error: ProviderError | null;
}

export async function readAll(pulled: AsyncIterable<PulledPage>): Promise<Pulled> {
  const pages: PulledPage[] = [];
  try {
    for await (const page of pulled) pages.push(page);
  } catch (error) {
    return { pages, error: error as ProviderError };
  }
  return { pages, error: null };
}

export function idsOf(pages: readonly PulledPage[]): string[] {
  return pages.flatMap(({ records }) => records.map(({ id }) => id));
}

import type { Account, OpenConnection, PulledPage } from '../../../src/connectors/connector.ts';
import { zendesk } from '../../../src/connectors/zendesk.ts';
import type { BackoffPolicy } from '../../../src/lib/backoff.ts';
import { startZendesk, type ZendeskMock } from './zendesk.ts';

/** Everything in these tests happens around this moment. */
export const NOON = new Date('2026-03-10T12:00:00Z');

const ACCOUNT: Account = {
  id: 'acme',
  label: 'acme.zendesk.com',
  timeZone: 'America/New_York',
  currency: null,
  missingScopes: [],
};

export interface TestStore {
  read(): Promise<unknown>;
  replace(next: unknown): Promise<boolean>;
  /** What it holds now */
  held: unknown;
  /** How many requests the mock had seen at each replacement */
  readonly replacedAfter: number[];
}

export interface Pulled {
  readonly pages: readonly PulledPage[];
  /** What ended it before the last page; null: nothing */
  readonly error: unknown;
}

export interface ZendeskBench {
  readonly mock: ZendeskMock;
  readonly clock: { now(): Date; set(at: Date): void; pass(ms: number): void };
  readonly store: TestStore;
  open(backoff?: BackoffPolicy): OpenConnection;
  pull(after?: unknown, signal?: AbortSignal): AsyncIterable<PulledPage>;
  /** To the end, or to the error that ends it */
  drain(after?: unknown): Promise<Pulled>;
}

/** A mock, a connection to it, and a clock that stands still until it is told otherwise. */
export async function zendeskBench(): Promise<ZendeskBench> {
  let at = NOON;
  const clock = {
    now: () => at,
    set: (next: Date) => void (at = next),
    pass: (ms: number) => void (at = new Date(at.getTime() + ms)),
  };
  const mock = await startZendesk(clock);
  const store: TestStore = {
    held: mock.credentials,
    replacedAfter: [],
    read: async () => store.held,
    async replace(next) {
      store.replacedAfter.push(mock.requests.length);
      store.held = next;
      return true;
    },
  };
  const open = (backoff: BackoffPolicy = { baseMs: 1, maxMs: 5 }): OpenConnection =>
    zendesk.open({ config: { subdomain: 'acme' }, credentials: store, clock, baseUrl: mock.url, backoff });
  const pull: ZendeskBench['pull'] = (after = null, signal = new AbortController().signal) =>
    open().pull('tickets', { account: ACCOUNT, from: new Date('2026-01-01T00:00:00Z'), after, signal });
  return {
    mock,
    clock,
    store,
    open,
    pull,
    async drain(after) {
      const pages: PulledPage[] = [];
      try {
        for await (const page of pull(after)) pages.push(page);
      } catch (error) {
        return { pages, error };
      }
      return { pages, error: null };
    },
  };
}

/** A ticket that fits the specification; what a test is about goes above it. */
export function ticketRow(id: number, fields: Readonly<Record<string, unknown>> = {}) {
  const created_at = '2026-03-01T09:00:00Z';
  return {
    id,
    requester_id: 20,
    status: 'open',
    created_at,
    updated_at: created_at,
    via: { channel: 'email' },
    ...fields,
  };
}

/** `count` tickets that changed one after the other, long enough ago to be listed. */
export function putTickets(mock: ZendeskMock, count: number): void {
  for (let id = 1; id <= count; id += 1)
    mock.put(
      ticketRow(id),
      { id: 1_000 + id, ticket_id: id, solved_at: null },
      new Date(Date.UTC(2026, 2, 2, 0, id)),
    );
}

export function idsOf(pages: readonly PulledPage[]): string[] {
  return pages.flatMap(({ records }) => records.map(({ id }) => id));
}

export function factsOf(pages: readonly PulledPage[]): unknown[] {
  return pages.flatMap(({ records }) => records.flatMap(({ facts }) => facts));
}

import { afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Account, OpenConnection, PulledPage } from '../../../src/connectors/connector.ts';
import { ProviderError } from '../../../src/connectors/provider-error.ts';
import { stripe } from '../../../src/connectors/stripe.ts';
import type { Fact } from '../../../src/domain/facts.ts';
import type { Contract } from './contract.ts';
import { KEY, sale, startStripe, stripeContract, type MockStripe, type Movement } from './stripe.ts';

export const NOW = new Date('2026-11-28T12:00:00Z');
export const FROM = new Date('2026-11-01T00:00:00Z');
export const ACCOUNT: Account = {
  id: 'acct_1Mock',
  label: 'The shop in Stripe',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  missingScopes: [],
};

interface Given {
  readonly key?: string;
  readonly account?: string;
  readonly now?: Date;
}

interface Run {
  readonly connection?: OpenConnection;
  readonly after?: unknown;
  readonly signal?: AbortSignal;
}

/** A Stripe for each test of a file, held to its specification, and a connection to it. */
export interface StripeUnderTest {
  readonly mock: MockStripe;
  /** Begins again with an account that differs in these fields. */
  restart(account: Readonly<Record<string, unknown>>): Promise<void>;
  open(given?: Given): OpenConnection;
  pull(run?: Run): AsyncIterable<PulledPage>;
  pullAll(run?: Run): Promise<PulledPage[]>;
  /** What was read, up to the error that ended it. */
  pullUntilError(run?: Run): Promise<{ readonly pages: PulledPage[]; readonly error: ProviderError }>;
}

export function useStripe(): StripeUnderTest {
  let contract: Contract | null = null;
  let mock: MockStripe | null = null;
  beforeAll(async () => {
    contract = await stripeContract();
  });
  beforeEach(async () => {
    mock = await startStripe(contract);
  });
  afterEach(async () => {
    await mock?.close();
    expect(mock?.problems).toEqual([]);
  });
  const running = (): MockStripe => {
    if (!mock) throw new Error('Stripe is there while a test runs');
    return mock;
  };
  const open = (given?: Given): OpenConnection => openConnection(running(), given);
  const pull = ({ connection = open(), after = null, signal = live() }: Run = {}) =>
    connection.pull('balance_transactions', { account: ACCOUNT, from: FROM, after, signal });
  return {
    get mock() {
      return running();
    },
    async restart(account) {
      await running().close();
      mock = await startStripe(contract, account);
    },
    open,
    pull,
    async pullAll(run) {
      const pages: PulledPage[] = [];
      for await (const page of pull(run)) pages.push(page);
      return pages;
    },
    async pullUntilError(run) {
      const pages: PulledPage[] = [];
      const reading = (async () => {
        for await (const page of pull(run)) pages.push(page);
      })();
      return { error: await refusalOf(reading), pages };
    },
  };
}

function openConnection(mock: MockStripe, { key = KEY, account, now = NOW }: Given = {}): OpenConnection {
  return stripe.open({
    config: account === undefined ? {} : { account },
    credentials: {
      read: async () => ({ key }),
      replace: () => Promise.reject(new Error('a key is not renewed')),
    },
    clock: { now: () => now },
    baseUrl: mock.url,
    backoff: { baseMs: 1, maxMs: 5 },
  });
}

/** The error that the work ends with. */
export async function refusalOf(work: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ProviderError) return error;
  throw new Error(`expected a ProviderError, got ${String(error)}`, { cause: error });
}

export function live(): AbortSignal {
  return new AbortController().signal;
}

export function idsOf(pages: readonly PulledPage[]): string[] {
  return pages.flatMap((page) => page.records.map(({ id }) => id));
}

export function factsOf(pages: readonly PulledPage[]): Fact[] {
  return pages.flatMap((page) => page.records.flatMap((record) => [...record.facts]));
}

export function secondsOf(at: Date): number {
  return at.getTime() / 1_000;
}

/** One a minute, the newest the first: "txn_1" is of `newest`, "txn_2" of a minute before. */
export function sales(count: number, newest = new Date('2026-11-27T12:00:00Z')): Movement[] {
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(newest.getTime() - index * 60_000).toISOString();
    return sale({ id: `txn_${index + 1}`, at, amount: 1_000 + index });
  });
}

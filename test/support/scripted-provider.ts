import { z } from 'zod';
import { defineConnector, defineEntity, type Connector, type Page } from '../../src/connectors/connector.ts';
import type { ProviderError } from '../../src/connectors/provider-error.ts';

export interface ScriptedOrder {
  readonly id: string;
  /** ISO */
  readonly at: string;
  readonly gross: string;
}

/** What a scripted provider has and does; tests change it as they go. */
export interface World {
  orders: unknown[];
  /** Listed whole by each run */
  things: { readonly id: string }[];
  pageSize: number;
  /** Called before each page; what it throws, the provider answers. */
  beforePage(entity: string, page: number, signal: AbortSignal): Promise<void>;
  /** Pages that were asked for, as "orders 3" */
  readonly asked: string[];
  /** What a check answers in the place of the account */
  refusal: ProviderError | null;
  accountId: string;
}

export function createWorld(orders: number): World {
  return {
    orders: Array.from({ length: orders }, (_, index) => orderOf(index)),
    things: [],
    pageSize: 10,
    beforePage: () => Promise.resolve(),
    asked: [],
    refusal: null,
    accountId: 'account 1',
  };
}

/** The nth order: ten a day from 1 March 2026 on, of 10.25 each. */
export function orderOf(index: number): ScriptedOrder {
  const day = new Date(Date.UTC(2026, 2, 1 + Math.floor(index / 10), 12));
  return { id: `o${String(index).padStart(6, '0')}`, at: day.toISOString(), gross: '10.25' };
}

const order = z.object({ id: z.string(), at: z.iso.datetime(), gross: z.string() });

/** A provider without HTTP: orders that feed revenue, read from a cursor on, and things, each run all of them. */
export function scriptedProvider(world: World, provider = 'scripted'): Connector {
  async function* pages(
    name: string,
    list: () => readonly unknown[],
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<Page<{ next: number }>> {
    for (let page = 1, from = after; ; page += 1) {
      world.asked.push(`${name} ${page}`);
      await world.beforePage(name, page, signal);
      signal.throwIfAborted();
      const all = list();
      const next = Math.min(from + world.pageSize, all.length);
      const isLast = next >= all.length;
      yield { records: all.slice(from, next), cursor: { next }, isLast, total: all.length };
      if (isLast) return;
      from = next;
    }
  }
  const cursor = z.object({ next: z.int() });
  return defineConnector<object, { key: string }, null>({
    provider,
    title: 'Scripted',
    config: z.object({}),
    credentials: z.object({ key: z.string() }),
    open: () => null,
    check: () =>
      world.refusal
        ? Promise.reject(world.refusal)
        : Promise.resolve({
            id: world.accountId,
            label: 'A scripted account',
            timeZone: null,
            currency: 'EUR',
            missingScopes: [],
          }),
    entities: {
      orders: defineEntity({
        title: 'Orders',
        feeds: 'revenue',
        scan: 'changes',
        record: order,
        cursor,
        idOf: ({ id }) => id,
        factsOf: ({ id, at, gross }) => [
          {
            type: 'order',
            key: id,
            at: new Date(at),
            currency: 'EUR',
            gross,
            channel: null,
            customerKey: null,
          },
        ],
        pull: ({ signal }, after) => pages('orders', () => world.orders, after?.next ?? 0, signal),
      }),
      things: defineEntity({
        title: 'Things',
        feeds: null,
        scan: 'complete',
        record: z.object({ id: z.string() }),
        cursor,
        idOf: ({ id }) => id,
        factsOf: () => [],
        // Each run begins at the start; one that was broken off goes on.
        pull: ({ signal }, after) =>
          pages(
            'things',
            () => world.things,
            after && after.next < world.things.length ? after.next : 0,
            signal,
          ),
      }),
    },
  });
}

import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ProviderClient } from '../../src/connectors/client.ts';
import {
  defineConnector,
  defineEntity,
  type Account,
  type CredentialStore,
  type Page,
  type PulledPage,
} from '../../src/connectors/connector.ts';
import { ProviderError } from '../../src/connectors/provider-error.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const FROM = new Date('2026-01-01T00:00:00Z');
const ACCOUNT: Account = {
  id: 'acc_1',
  label: 'A shop',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  missingScopes: [],
};

const config = z.strictObject({ shop: z.string().regex(/^[a-z]+$/) });
const credentials = z.strictObject({ token: z.string().min(8) });
const sale = z.object({ id: z.string(), at: z.iso.datetime(), total: z.string() });
const cursor = z.strictObject({ page: z.int() });
type Cursor = z.infer<typeof cursor>;

interface Setup {
  readonly pages?: readonly Page<Cursor>[];
}

/** A connector whose provider says what is given, and what it was asked. */
function shop({ pages = [] }: Setup = {}) {
  const asked: { after: Cursor | null; config: unknown; now: Date; from: Date; account: Account }[] = [];
  const tokens: string[] = [];
  const connector = defineConnector({
    provider: 'shop',
    title: 'Shop',
    config,
    credentials,
    open: ({ credentials: store, clock, backoff }) =>
      new ProviderClient({
        protocol: {
          title: 'Shop',
          baseUrl: 'http://127.0.0.1:1',
          timeoutMs: 1_000,
          requestIdHeader: null,
          headers: async () => {
            const { token } = await store.read();
            tokens.push(token);
            await store.replace({ token: `${token}-next` });
            throw new ProviderError('bad_request', 'far enough');
          },
          renew: () => Promise.resolve(false),
          judge: () => null,
        },
        clock,
        ...(backoff && { backoff }),
      }),
    check: async (client, _, signal) => {
      await client.request({ path: '/' }, signal);
      return ACCOUNT;
    },
    entities: {
      sales: defineEntity({
        title: 'Sales',
        record: sale,
        cursor,
        feeds: 'revenue',
        scan: 'changes',
        idOf: ({ id }) => id,
        factsOf: (row, account) => [
          {
            type: 'order',
            key: row.id,
            at: new Date(row.at),
            currency: account.currency ?? 'XXX',
            gross: row.total,
            channel: null,
            customerKey: null,
          },
        ],
        async *pull(ctx, after) {
          const { config, from, account } = ctx;
          asked.push({ after, config, now: ctx.now(), from, account });
          yield* pages;
        },
      }),
    },
  });
  return { connector, asked, tokens };
}

function storeOf(initial: unknown): CredentialStore<unknown> & { current: unknown } {
  const store = {
    current: initial,
    read: async () => store.current,
    replace: async (next: unknown) => {
      store.current = next;
      return true;
    },
  };
  return store;
}

function open({ connector }: ReturnType<typeof shop>) {
  return connector.open({
    config: { shop: 'hats' },
    credentials: storeOf({ token: 'tok_12345' }),
    clock: { now: () => NOW },
  });
}

async function pull(given: ReturnType<typeof shop>, after: unknown = null, entity = 'sales') {
  const { signal } = new AbortController();
  const pages: PulledPage[] = [];
  for await (const page of open(given).pull(entity, { account: ACCOUNT, from: FROM, after, signal }))
    pages.push(page);
  return pages;
}

const GOOD = { id: 's1', at: '2026-11-20T10:00:00Z', total: '12.50', note: 'never read' };

describe('a page', () => {
  test('has its records with what is read of them, their facts, and the cursor', async () => {
    const given = shop({ pages: [{ records: [GOOD], cursor: { page: 1 }, isLast: true }] });
    expect(await pull(given)).toEqual([
      {
        records: [
          {
            id: 's1',
            data: { id: 's1', at: '2026-11-20T10:00:00Z', total: '12.50' },
            facts: [
              {
                type: 'order',
                key: 's1',
                at: new Date('2026-11-20T10:00:00Z'),
                currency: 'EUR',
                gross: '12.50',
                channel: null,
                customerKey: null,
              },
            ],
          },
        ],
        rejected: [],
        removed: [],
        cursor: { page: 1 },
        isLast: true,
        total: null,
        notes: [],
      },
    ]);
  });

  test('passes on what is gone, how many there are, and what is to be known', async () => {
    const page = {
      records: [],
      removed: ['s0'],
      cursor: { page: 1 },
      isLast: true,
      total: 7,
      notes: ['sampled'],
    };
    expect(await pull(shop({ pages: [page] }))).toEqual([{ ...page, rejected: [] }]);
  });

  test('comes after the one before, and no earlier than it is asked for', async () => {
    const pages = [1, 2, 3].map((page) => ({ records: [], cursor: { page }, isLast: page === 3 }));
    const pulled = await pull(shop({ pages }));
    expect(pulled.map(({ cursor, isLast }) => [cursor, isLast])).toEqual([
      [{ page: 1 }, false],
      [{ page: 2 }, false],
      [{ page: 3 }, true],
    ]);
  });

  test('rejects a record that makes no sense by its id or its place, and keeps the others', async () => {
    const records = [
      GOOD,
      { ...GOOD, id: 's2', at: 'soon' },
      { ...GOOD, id: 17 },
      { at: 'soon' },
      null,
      { ...GOOD, id: 's3' },
    ];
    const [page] = await pull(shop({ pages: [{ records, cursor: { page: 1 }, isLast: true }] }));
    expect(page?.records.map(({ id }) => id)).toEqual(['s1', 's3']);
    expect(page?.rejected).toEqual([
      { key: 's2', message: expect.stringContaining('at') },
      { key: '17', message: expect.stringContaining('id') },
      { key: 'record 4', message: expect.stringContaining('id') },
      { key: 'record 5', message: expect.stringContaining('expected object') },
    ]);
  });

  test('rejects a record of which no fact can be made, and keeps the others', async () => {
    const pages = [
      { records: [GOOD, { ...GOOD, id: 'odd', total: '12,50' }], cursor: { page: 1 }, isLast: true },
    ];
    const [page] = await pull(shop({ pages }));
    expect(page?.records.map(({ id }) => id)).toEqual([GOOD.id]);
    expect(page?.rejected).toMatchObject([{ key: 'odd', message: expect.stringContaining('decimal') }]);
  });
});

describe('a pull', () => {
  test('begins where the stored cursor says', async () => {
    const given = shop();
    await pull(given, { page: 4 });
    expect(given.asked).toEqual([
      { after: { page: 4 }, config: { shop: 'hats' }, now: NOW, from: FROM, account: ACCOUNT },
    ]);
  });

  test.each([[null], [undefined], ['4'], [{ page: 'four' }], [{ page: 4, shop: 'hats' }], [{}]])(
    'begins at the beginning with a cursor that this release does not read: %j',
    async (after) => {
      const given = shop();
      await pull(given, after);
      expect(given.asked).toMatchObject([{ after: null }]);
    },
  );

  test.each(['hats', '', 'toString', '__proto__', 'constructor'])(
    'of something that the provider has not is refused: %j',
    async (entity) => {
      const given = shop();
      await expect(pull(given, null, entity)).rejects.toMatchObject({
        kind: 'bad_request',
        message: `Shop has no ${entity}.`,
      });
      expect(given.asked).toEqual([]);
    },
  );
});

describe('a connection', () => {
  test.each([
    ['a configuration of another release', { domain: 'hats' }],
    ['a configuration with more than there is', { shop: 'hats', domain: 'hats.example' }],
    ['none', null],
  ])('is not opened with %s', (_, given) => {
    const { connector } = shop();
    const clock = { now: () => NOW };
    expect(() =>
      connector.open({ config: given, credentials: storeOf({ token: 'tok_12345' }), clock }),
    ).toThrow(z.ZodError);
  });

  test('reads its credentials when they are needed, and keeps the new ones', async () => {
    const given = shop();
    const store = storeOf({ token: 'tok_12345' });
    const connection = given.connector.open({
      config: { shop: 'hats' },
      credentials: store,
      clock: { now: () => NOW },
    });
    expect(given.tokens).toEqual([]);
    const { signal } = new AbortController();
    await expect(connection.check(signal)).rejects.toMatchObject({ message: 'far enough' });
    await expect(connection.check(signal)).rejects.toMatchObject({ message: 'far enough' });
    expect(given.tokens).toEqual(['tok_12345', 'tok_12345-next']);
    expect(store.current).toEqual({ token: 'tok_12345-next-next' });
  });

  test('whose credentials are of another release asks nothing, and does not show them', async () => {
    const given = shop();
    const connection = given.connector.open({
      config: { shop: 'hats' },
      credentials: storeOf({ password: 'hunter2-hunter2' }),
      clock: { now: () => NOW },
      backoff: { baseMs: 1, maxMs: 1 },
    });
    const error: unknown = await connection
      .check(new AbortController().signal)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const { message, cause } = error as Error;
    expect(`${message} ${String(cause)}`).not.toContain('hunter2');
    expect(given.tokens).toEqual([]);
  });
});

test('a connector tells what it has, and no types of its own', () => {
  const { connector } = shop();
  expect(connector).toMatchObject({ provider: 'shop', title: 'Shop', webhook: null });
  expect(Object.entries(connector.entities)).toMatchObject([['sales', { title: 'Sales', scan: 'changes' }]]);
  expect(connector.config.safeParse({ shop: 'HATS' }).success).toBe(false);
  expect(connector.credentials.safeParse({ token: 'short' }).success).toBe(false);
});

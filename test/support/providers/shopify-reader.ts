import { Kind, valueFromASTUntyped, type FieldNode, type SelectionSetNode } from 'graphql';
import { z } from 'zod';

type Json = Readonly<Record<string, unknown>>;
type ListName = 'orders' | 'products' | 'customers';

/** What can be read of a shop. A record is as Shopify would answer it if every field of it were asked for. */
export interface ShopifyData {
  shop: Json;
  /** Which permissions the app has */
  scopes: string[];
  records: Record<ListName, Json[]>;
  /** No page has more */
  pageSizeMax: number;
}

/** What Shopify says instead of an answer. */
export class Refused extends Error {
  readonly extensions: Json;

  constructor(message: string, extensions: Json = {}) {
    super(message);
    this.extensions = extensions;
  }
}

const SCOPE_OF: Readonly<Record<string, string>> = {
  orders: 'read_orders',
  order: 'read_orders',
  refund: 'read_orders',
  products: 'read_products',
  product: 'read_products',
  customers: 'read_customers',
  customer: 'read_customers',
};

/** Fields of records that another permission is for */
const GUARDED: ReadonlySet<string> = new Set(['customer', 'product']);

const records = z.array(z.record(z.string(), z.unknown()));

const nestedArguments = z.strictObject({ first: z.int().min(1), after: z.string().nullish() });

const listArguments = z.strictObject({
  first: z.int().min(1),
  after: z.string().nullish(),
  query: z.string().regex(/^updated_at:>='\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'$/),
  sortKey: z.literal('UPDATED_AT'),
});

/** Takes from the shop what a selection names, and nothing that is not there. */
export class ShopifyReader {
  readonly #shop: ShopifyData;
  readonly #variables: Json;
  objects = 0;

  constructor(shop: ShopifyData, variables: Json) {
    this.#shop = shop;
    this.#variables = variables;
  }

  root(selection: SelectionSetNode): Json {
    return this.#each(selection, (field) => {
      const args = this.#argumentsOf(field);
      switch (field.name.value) {
        case 'shop':
          return this.#pick(field, this.#shop.shop);
        case 'currentAppInstallation':
          return this.#pick(field, { accessScopes: this.#shop.scopes.map((handle) => ({ handle })) });
        case 'order':
          this.#demandScope(field);
          return this.#pick(field, this.#shop.records.orders.find(({ id }) => id === args.id) ?? null);
        case 'refund':
          this.#demandScope(field);
          return this.#pick(field, this.#refunds().find(({ id }) => id === args.id) ?? null);
        case 'orders':
        case 'products':
        case 'customers':
          return this.#pick(field, this.#list(field.name.value, field));
        default:
          throw undefinedField(field.name.value);
      }
    });
  }

  /** The worst case: an object costs a point, and a list as many as it may have. */
  costOf(selection: SelectionSetNode): number {
    return fieldsOf(selection).reduce((sum, field) => {
      if (!field.selectionSet) return sum;
      const { first } = this.#argumentsOf(field);
      const each = field.name.value === 'pageInfo' || field.name.value === 'nodes' ? 0 : 1;
      const inner = this.costOf(field.selectionSet);
      if (typeof first !== 'number') return sum + each + inner;
      return sum + (isConnection(field.selectionSet) ? 2 : 0) + first * (1 + inner);
    }, 0);
  }

  #list(name: ListName, field: FieldNode): Json {
    this.#demandScope(field);
    const { first, after, query } = listArguments.parse(this.#argumentsOf(field));
    if (first > 250) throw new Refused('first cannot exceed 250');
    const since = Date.parse(query.slice("updated_at:>='".length, -1));
    const behind = after ? decodeCursor(after) : { time: -Infinity, id: '' };
    const all = this.#shop.records[name]
      .map((record) => ({ record, ...placeOf(record) }))
      .filter(({ time }) => time >= since)
      .sort(byPlace);
    const rest = all.filter((one) => byPlace(one, behind) > 0);
    const page = rest.slice(0, Math.min(first, this.#shop.pageSizeMax));
    const last = page.at(-1);
    return {
      pageInfo: {
        hasNextPage: rest.length > page.length,
        endCursor: last ? encodeCursor(last) : null,
      },
      nodes: page.map(({ record }) => record),
    };
  }

  #refunds(): Json[] {
    return this.#shop.records.orders.flatMap(({ refunds }) => records.parse(refunds));
  }

  /** A list within a record, of which a page is asked. */
  #connection(field: FieldNode, all: readonly unknown[]): Json {
    const { first, after } = nestedArguments.parse(this.#argumentsOf(field));
    if (first > 250) throw new Refused('first cannot exceed 250');
    const begin = after ? decodeIndex(after) + 1 : 0;
    const nodes = all.slice(begin, begin + Math.min(first, this.#shop.pageSizeMax));
    const end = begin + nodes.length;
    const endCursor = nodes.length > 0 ? encodeIndex(end - 1) : null;
    return { pageInfo: { hasNextPage: end < all.length, endCursor }, nodes };
  }

  #pick(field: FieldNode, value: unknown): unknown {
    if (Array.isArray(value) && field.selectionSet && isConnection(field.selectionSet))
      return this.#pick(field, this.#connection(field, value));
    if (Array.isArray(value)) {
      const { first } = this.#argumentsOf(field);
      const shown: unknown[] = typeof first === 'number' ? value.slice(0, first) : value;
      return shown.map((item) => this.#pick(field, item));
    }
    if (!field.selectionSet || value === null) return value;
    if (typeof value !== 'object') return value;
    this.objects += 1;
    const source = new Map(Object.entries(value ?? {}));
    return this.#each(field.selectionSet, (inner) => {
      const name = inner.name.value;
      if (!source.has(name)) throw undefinedField(name);
      if (source.get(name) !== null && GUARDED.has(name)) this.#demandScope(inner);
      return this.#pick(inner, source.get(name));
    });
  }

  #each(selection: SelectionSetNode, read: (field: FieldNode) => unknown): Json {
    return Object.fromEntries(
      fieldsOf(selection).map((field) => [(field.alias ?? field.name).value, read(field)]),
    );
  }

  #demandScope(field: FieldNode): void {
    const scope = SCOPE_OF[field.name.value] ?? '';
    if (this.#shop.scopes.includes(scope)) return;
    const requiredAccess = `\`${scope}\` access scope.`;
    const message = `Access denied for ${field.name.value} field. Required access: ${requiredAccess}`;
    throw new Refused(message, { code: 'ACCESS_DENIED', requiredAccess });
  }

  #argumentsOf(field: FieldNode): Json {
    const values = (field.arguments ?? []).map(({ name, value }) => [
      name.value,
      valueFromASTUntyped(value, { ...this.#variables }),
    ]);
    return Object.fromEntries(values) as Json;
  }
}

function undefinedField(name: string): Refused {
  return new Refused(`Field '${name}' doesn't exist`, { code: 'undefinedField' });
}

function fieldsOf({ selections }: SelectionSetNode): FieldNode[] {
  return selections.map((selection) => {
    if (selection.kind === Kind.FIELD) return selection;
    throw new Error('the mock reads no fragments');
  });
}

function isConnection(selection: SelectionSetNode): boolean {
  return fieldsOf(selection).some(({ name }) => name.value === 'nodes');
}

interface Place {
  readonly time: number;
  readonly id: string;
}

function placeOf({ id, updatedAt }: Json): Place {
  return { time: Date.parse(String(updatedAt)), id: String(id) };
}

function byPlace(one: Place, other: Place): number {
  return one.time - other.time || (one.id < other.id ? -1 : Number(one.id > other.id));
}

/** As Shopify's: it looks like nothing, and holds the last record's place. */
function encodeCursor({ time, id }: Place): string {
  return Buffer.from(JSON.stringify({ last_id: id, last_value: time })).toString('base64');
}

const cursorText = z.object({ last_id: z.string(), last_value: z.number() });

function decodeCursor(text: string): Place {
  try {
    const { last_id: id, last_value: time } = cursorText.parse(
      JSON.parse(Buffer.from(text, 'base64').toString()),
    );
    return { time, id };
  } catch {
    throw new Refused('Invalid cursor for current pagination sort.');
  }
}

/** Of lists within a record: the place of the last one. */
const encodeIndex = (index: number): string => Buffer.from(`index ${index}`).toString('base64');

function decodeIndex(text: string): number {
  const [, index] = /^index (\d+)$/.exec(Buffer.from(text, 'base64').toString()) ?? [];
  if (index === undefined) throw new Refused('Invalid cursor for current pagination sort.');
  return Number(index);
}

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
  products: 'read_products',
  customers: 'read_customers',
  customer: 'read_customers',
};

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
          return this.#pick(field, this.#shop.records.orders.find((order) => order.id === args.id) ?? null);
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
      const isConnection = fieldsOf(field.selectionSet).some(({ name }) => name.value === 'nodes');
      return sum + (isConnection ? 2 + first * (1 + inner) : first * (1 + inner));
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

  #pick(field: FieldNode, value: unknown): unknown {
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
      if (source.get(name) !== null && name === 'customer') this.#demandScope(inner);
      return this.#pick(inner, source.get(name));
    });
  }

  #each(selection: SelectionSetNode, read: (field: FieldNode) => unknown): Json {
    return Object.fromEntries(fieldsOf(selection).map((field) => [field.name.value, read(field)]));
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
    if (selection.kind === Kind.FIELD && !selection.alias) return selection;
    throw new Error('the mock reads neither fragments nor aliases');
  });
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

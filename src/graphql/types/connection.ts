import type { FieldRef } from '@pothos/core';
import { z } from 'zod';
import { API_LIMITS, PAGE_SIZE_DEFAULT } from '../../domain/api-limits.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { inputProblem } from '../errors.ts';

type SchemaTypes = typeof builder.$inferSchemaTypes;

interface PageInfoShape {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

const PageInfo = builder.objectRef<PageInfoShape>('PageInfo').implement({
  description: 'Where a page stands in its list. Lists are read forward.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'More may follow after `endCursor`' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description: 'The page was asked for with `after`',
    }),
    startCursor: t.exposeString('startCursor', {
      nullable: true,
      description: 'Of the first edge; null without edges',
    }),
    endCursor: t.exposeString('endCursor', {
      nullable: true,
      description:
        'Of the last edge, for the next `after`; of a search that has looked at a part only, how far it came. Null with neither',
    }),
  }),
});

interface EdgeShape<T> {
  readonly cursor: string;
  readonly node: T;
}

type NodeField<T> = (
  t: PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, EdgeShape<T>>,
) => FieldRef<SchemaTypes>;

/** One page of a list, as every connection type resolves it. */
export interface Page<T> {
  readonly edges: readonly EdgeShape<T>[];
  readonly pageInfo: PageInfoShape;
  /** Called only when the query asks for it; null where the number is too large to be counted */
  readonly totalCount: () => number | null | Promise<number | null>;
}

interface ConnectionOptions {
  readonly description: string;
  /** Set where the total is always known; otherwise it may be null, and this says when */
  readonly totalCount: { readonly nullable: boolean; readonly description: string };
}

/** `<name>Connection` and `<name>Edge`; `nodeField` makes the edge's `node`. @typeParam More what its further fields need */
export function connectionType<T, More extends object = object>(
  name: string,
  nodeField: NodeField<T>,
  options: ConnectionOptions,
) {
  const Edge = builder.objectRef<EdgeShape<T>>(`${name}Edge`).implement({
    description: `One ${name} of a page.`,
    fields: (t) => ({
      cursor: t.exposeString('cursor', { description: 'For `after`; opaque' }),
      node: nodeField(t),
    }),
  });
  return builder.objectRef<Page<T> & More>(`${name}Connection`).implement({
    description: options.description,
    fields: (t) => ({
      edges: t.field({
        type: [Edge],
        description: 'What is on this page',
        resolve: (page) => [...page.edges],
      }),
      pageInfo: t.field({
        type: PageInfo,
        description: 'Where this page stands',
        resolve: (page) => page.pageInfo,
      }),
      totalCount: options.totalCount.nullable
        ? t.int({
            nullable: true,
            description: options.totalCount.description,
            resolve: (page) => page.totalCount(),
          })
        : t.int({
            description: options.totalCount.description,
            resolve: async (page) => z.int().parse(await page.totalCount()),
          }),
    }),
  });
}

/** The arguments of every list. */
export const pageArgs = builder.args((t) => ({
  first: t.int({
    defaultValue: PAGE_SIZE_DEFAULT,
    description: `How many, 1 to ${API_LIMITS.pageSize.default} unless the server was given another limit; more is an error`,
  }),
  after: t.string({ description: 'Start behind this cursor' }),
}));

/** A list's arguments, checked. `after` is the key that the cursor stands for. */
export interface PageRequest<Key> {
  readonly first: number;
  readonly after: Key | null;
}

/**
 * @param list names the list inside its cursors, so that a cursor of another list is refused
 * @throws GraphQLError that names the argument
 */
export function readPage<Key>(
  { limits: { pageSize } }: Pick<GraphQLContext, 'limits'>,
  args: { readonly first?: number | null | undefined; readonly after?: string | null | undefined },
  list: string,
  key: z.ZodType<Key>,
): PageRequest<Key> {
  const first = args.first ?? PAGE_SIZE_DEFAULT;
  if (first < 1 || first > pageSize) {
    throw inputProblem(['first'], `expected 1 to ${pageSize}, got ${first}.`);
  }
  if (args.after === null || args.after === undefined) return { first, after: null };
  const parsed = z.tuple([z.literal(list), key]).safeParse(decodeCursor(args.after));
  if (!parsed.success) throw inputProblem(['after'], 'expected a cursor that this list gave out.');
  return { first, after: parsed.data[1] };
}

interface PageSource<T, Key> {
  readonly list: string;
  readonly request: PageRequest<Key>;
  /** Up to one more than was asked for: it tells whether more follows */
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => Key;
  /** Where the next page begins, for lists that know it better than their rows tell; null: nowhere */
  readonly goesOnAt?: Key | null;
  readonly totalCount: Page<T>['totalCount'];
}

export function toPage<T, Key>(source: PageSource<T, Key>): Page<T> {
  const { list, request, rows, keyOf, goesOnAt, totalCount } = source;
  const edges = rows
    .slice(0, request.first)
    .map((node) => ({ cursor: encodeCursor(list, keyOf(node)), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: goesOnAt === undefined ? rows.length > request.first : goesOnAt !== null,
      hasPreviousPage: request.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: goesOnAt ? encodeCursor(list, goesOnAt) : (edges.at(-1)?.cursor ?? null),
    },
    totalCount,
  };
}

function encodeCursor(list: string, key: unknown): string {
  return Buffer.from(JSON.stringify([list, key])).toString('base64url');
}

function decodeCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { GraphQLContext } from './context.ts';

/** What a query wants of the rows of one table: columns, and relations with what it wants of those. */
export interface Selection {
  readonly select?: object;
}

/**
 * The columns and relations that a query wants of a Prisma object which the current field answers with, for a
 * `findFirst` or `findMany` of our own.
 * @param path from the field's type down to the object, e.g. edges, node
 */
export function selectionOf(
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
  typeName: string,
  path: string[] = [],
) {
  const { select } = queryFromInfo({ context: ctx, info, typeName, path, select: { id: true } as const });
  return { select };
}

/**
 * The columns that a query wants, if it wants nothing else: then a statement of ours does, at a fraction of what a
 * query of Prisma's costs.
 * @param columns of the table, as `Prisma.<Model>ScalarFieldEnum` names them
 * @returns null where Prisma must be asked
 */
export function onlyColumns<Column extends string>(
  columns: Readonly<Record<Column, Column>>,
  { select }: Selection,
): readonly Column[] | null {
  if (!select) return null;
  const wanted = Object.entries(select).map(([name, isWanted]) =>
    isWanted === true && isKey(columns, name) ? columns[name] : null,
  );
  return wanted.every((column) => column !== null) ? wanted : null;
}

function isKey<Key extends string>(record: Readonly<Record<Key, unknown>>, name: string): name is Key {
  return Object.hasOwn(record, name);
}

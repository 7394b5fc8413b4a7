import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { GraphQLContext } from './context.ts';

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

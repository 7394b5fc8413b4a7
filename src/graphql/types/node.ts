import { brandWithType, type ObjectRef } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import { parsePublicId, type IdType } from '../../domain/ids.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';

interface NodeShape {
  readonly id: string;
}

export const Node = builder.interfaceRef<NodeShape>('Node').implement({
  description: 'Anything with an id of its own.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Tells the type by its prefix; otherwise opaque' }),
  }),
});

/** Reads one object of the caller's organization, or null. */
type NodeLoader = (uuid: string, ctx: GraphQLContext, info: GraphQLResolveInfo) => Promise<object | null>;

const loaders = new Map<IdType, { readonly ref: NodeRef; readonly load: NodeLoader }>();
type NodeRef = ObjectRef<typeof builder.$inferSchemaTypes, unknown>;

/** Makes `node(id)` answer for a type; its file calls this beside its definition. */
export function implementNode(type: IdType, ref: NodeRef, load: NodeLoader): void {
  loaders.set(type, { ref, load });
}

builder.queryField('node', (t) =>
  t.field({
    extensions: needs('read'),
    type: Node,
    nullable: true,
    description: "Null for what does not exist and for what is another organization's.",
    args: { id: t.arg.id({ required: true, description: 'Id of anything that implements Node' }) },
    async resolve(_root, { id }, ctx, info) {
      const parsed = parsePublicId(id);
      const known = parsed && loaders.get(parsed.type);
      if (!known) return null;
      const found = await known.load(parsed.uuid, ctx, info);
      if (!found) return null;
      const node = { id, ...found };
      brandWithType(node, known.ref);
      return node;
    },
  }),
);

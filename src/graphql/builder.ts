import SchemaBuilder from '@pothos/core';
import PrismaPlugin from '@pothos/plugin-prisma';
import { getDatamodel } from '../generated/pothos.ts';
import type PrismaTypes from '../generated/pothos.ts';
import type { GraphQLContext } from './context.ts';

/**
 * What every file in types/ registers on. Fields are non-null unless they say `nullable: true`; arguments and input
 * fields are optional unless they say `required: true`.
 */
export const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: string; Output: string };
    Decimal: { Input: string; Output: string | { toFixed(): string } };
    SafeInt: { Input: number; Output: number | bigint };
    JSON: { Input: unknown; Output: unknown };
  };
}>({
  plugins: [PrismaPlugin],
  defaultFieldNullability: false,
  prisma: { client: (ctx) => ctx.prisma, dmmf: getDatamodel(), exposeDescriptions: false },
});

builder.queryType({ description: 'What can be read.' });
builder.mutationType({ description: 'What can be started or changed.' });
builder.subscriptionType({
  description: 'What can be followed live, over WebSocket or Server-Sent Events.',
});

import SchemaBuilder from '@pothos/core';
import PrismaPlugin from '@pothos/plugin-prisma';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { roleAtLeast } from '../auth/principal.ts';
import { getDatamodel } from '../generated/pothos.ts';
import type PrismaTypes from '../generated/pothos.ts';
import type { GraphQLContext } from './context.ts';
import { problem } from './errors.ts';

/**
 * What every file in types/ registers on. Fields are non-null unless they say `nullable: true`; arguments and input
 * fields are optional unless they say `required: true`.
 */
export const builder = new SchemaBuilder<{
  PrismaTypes: PrismaTypes;
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  AuthScopes: { viewer: boolean; member: boolean; admin: boolean };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: string; Output: string };
    Decimal: { Input: string; Output: string | { toFixed(): string } };
    SafeInt: { Input: number; Output: number | bigint };
    JSON: { Input: unknown; Output: unknown };
  };
}>({
  plugins: [ScopeAuthPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  prisma: { client: (ctx) => ctx.prisma, dmmf: getDatamodel(), exposeDescriptions: false },
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ principal: { role } }) => ({
      viewer: roleAtLeast(role, 'viewer'),
      member: roleAtLeast(role, 'member'),
      admin: roleAtLeast(role, 'admin'),
    }),
    unauthorizedError: (_parent, { principal }, info) =>
      problem('FORBIDDEN', `A ${principal.role} may not use ${info.parentType.name}.${info.fieldName}.`),
  },
});

// The scopes of a root type hold for each of its fields: no field can forget them.
builder.queryType({ description: 'What can be read.', authScopes: { viewer: true } });
builder.mutationType({ description: 'What can be started or changed.', authScopes: { member: true } });
builder.subscriptionType({
  description: 'What can be followed live, over WebSocket or Server-Sent Events.',
  authScopes: { viewer: true },
});

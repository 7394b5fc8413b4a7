import { z } from 'zod';
import { createApiKey, endApiKey } from '../../auth/api-keys.ts';
import { grantedTo, PERMISSION_NAMES } from '../../auth/permission.ts';
import type { UserError as UserErrorShape } from '../../domain/errors.ts';
import { toPublicId, uuidOf } from '../../domain/ids.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { selectionOf } from '../selection.ts';
import { Permission, Role } from './access-enums.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { implementNode, Node } from './node.ts';
import { User } from './user.ts';
import { UserError } from './user-error.ts';

const ApiKey = builder.prismaObject('ApiKey', {
  extensions: needs('manage_organization'),
  description: 'A token of the organization, without the token: that was shown once.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "key_"', resolve: ({ id }) => toPublicId('apiKey', id) }),
    name: t.exposeString('name', { description: 'What it is for; stands in `triggeredBy` of its jobs' }),
    prefix: t.exposeString('prefix', {
      description: 'How the token begins, to find it again where it is used',
    }),
    role: t.expose('role', { type: Role, description: 'What it is in the organization' }),
    permissions: t.field({
      type: [Permission],
      description: 'What it allows',
      select: { role: true, scopes: true },
      resolve: ({ role, scopes }) => {
        const granted = grantedTo(role, scopes);
        return PERMISSION_NAMES.filter((name) => granted.has(name));
      },
    }),
    user: t.relation('user', { nullable: true, type: User, description: 'The person in whose name it acts' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made' }),
    createdBy: t.exposeString('createdBy', {
      nullable: true,
      description: 'manual:<user> or api:<key name>; null for one that was made outside of the API',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'To about a minute; null: never',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'It opens nothing from then on; null: it does not expire',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked',
    }),
    revokedBy: t.exposeString('revokedBy', { nullable: true, description: 'Who revoked it' }),
  }),
});

implementNode('apiKey', ApiKey, (id, ctx, info) =>
  ctx.prisma.apiKey.findFirst({
    ...selectionOf(ctx, info, 'ApiKey'),
    where: { id, organizationId: ctx.principal.organization.id },
  }),
);

const ApiKeyConnection = connectionType<{ readonly id: string }>(
  'ApiKey',
  (t) => t.field({ type: ApiKey, description: 'The key', resolve: (edge) => edge.node }),
  {
    description: 'A page of API keys, newest first.',
    totalCount: { nullable: false, description: 'All that match' },
  },
);

builder.queryField('apiKeys', (t) =>
  t.field({
    extensions: needs('manage_organization'),
    type: ApiKeyConnection,
    description: "The organization's API keys, newest first. For admins",
    args: {
      ...pageArgs,
      includeRevoked: t.arg.boolean({ defaultValue: false, description: 'Also those that were revoked' }),
    },
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'apiKeys', z.uuid());
      const where = {
        organizationId: ctx.principal.organization.id,
        ...(args.includeRevoked ? {} : { revokedAt: null }),
      };
      const rows = await ctx.prisma.apiKey.findMany({
        ...selectionOf(ctx, info, 'ApiKey', ['edges', 'node']),
        where: { ...where, ...(request.after === null ? {} : { id: { lt: request.after } }) },
        orderBy: { id: 'desc' },
        take: request.first + 1,
      });
      const totalCount = () => ctx.prisma.apiKey.count({ where });
      return toPage({ list: 'apiKeys', request, rows, keyOf: ({ id }) => id, totalCount });
    },
  }),
);

interface Changed extends WithUserErrors {
  readonly keyId: string | null;
  /** Told once, when it was made */
  readonly token: string | null;
}

const NOTHING: Omit<Changed, 'userErrors'> = { keyId: null, token: null };

const ApiKeyPayload = builder.objectRef<Changed>('ApiKeyPayload').implement({
  description: 'The key as it is now.',
  fields: (t) => ({
    apiKey: t.prismaField({
      type: ApiKey,
      nullable: true,
      description: 'Null with `userErrors`',
      resolve: (query, { keyId }, _args, ctx) =>
        keyId === null
          ? null
          : ctx.prisma.apiKey.findFirst({
              ...query,
              where: { id: keyId, organizationId: ctx.principal.organization.id },
            }),
    }),
    token: t.exposeString('token', {
      nullable: true,
      description: 'The token of a key that was just made. It is shown this once, and stored nowhere',
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A new API key. It may no more than its maker.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What it is for; 1 to 100 characters' }),
    role: t.field({ type: Role, required: true, description: 'What it is in the organization' }),
    permissions: t.field({
      type: [Permission],
      description: 'As much of what the role may; READ is always among them. Absent: all that the role may',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'It opens nothing from then on; absent: never' }),
    personal: t.boolean({
      defaultValue: false,
      description: 'It acts in the name of the caller, and goes when they leave the organization',
    }),
  }),
});

builder.mutationField('createApiKey', (t) =>
  t.field({
    extensions: needs('manage_organization'),
    type: ApiKeyPayload,
    description: 'Makes an API key. The payload holds its token, this once. For admins',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The key' }) },
    resolve: (_root, { input }, { db, clock, principal }) =>
      withUserErrors(NOTHING, async () => {
        const { id, token } = await createApiKey({ db, clock }, principal, {
          name: input.name,
          role: input.role,
          permissions: input.permissions ?? null,
          expiresAt: input.expiresAt ?? null,
          isPersonal: input.personal ?? false,
        });
        return { keyId: id, token };
      }),
  }),
);

builder.mutationField('revokeApiKey', (t) =>
  t.field({
    extensions: needs('manage_organization'),
    type: ApiKeyPayload,
    description:
      'Ends an API key, for good: within 5 s it opens nothing, and sockets that it opened are closed. One that was revoked before stays as it was. For admins',
    args: { id: t.arg.id({ required: true, description: 'Id of the key' }) },
    resolve: (_root, { id }, { db, clock, principal }) =>
      withUserErrors(NOTHING, async () => ({
        keyId: await endApiKey({ db, clock }, principal, uuidOf('apiKey', id)),
        token: null,
      })),
  }),
);

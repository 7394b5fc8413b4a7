import { PERMISSION_NAMES } from '../../auth/permission.ts';
import type { Principal } from '../../auth/principal.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { onlyColumns } from '../selection.ts';
import { Permission, Role } from './access-enums.ts';
import { callersOrganization, Organization } from './organization.ts';
import { User } from './user.ts';

const Viewer = builder.objectRef<Principal>('Viewer').implement({
  description: 'Who is asking.',
  fields: (t) => ({
    organization: t.prismaField({
      type: Organization,
      description: 'The organization that the token opens',
      resolve: (query, _viewer, _args, ctx) => callersOrganization(ctx, query),
    }),
    user: t.prismaField({
      type: User,
      nullable: true,
      description: 'The person that the token belongs to; null for a key of no person',
      resolve: async (query, { userId }, _args, ctx) => {
        if (userId === null) return null;
        if (onlyColumns(Prisma.UserScalarFieldEnum, query)) return ctx.accounts.user(userId);
        return ctx.prisma.user.findUnique({ ...query, where: { id: userId } });
      },
    }),
    role: t.field({
      type: Role,
      description: 'What the caller is in the organization',
      resolve: ({ role }) => role,
    }),
    permissions: t.field({
      type: [Permission],
      description: 'What the token allows',
      resolve: ({ permissions }) => PERMISSION_NAMES.filter((name) => permissions.has(name)),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    extensions: needs('read'),
    type: Viewer,
    description: 'Who is asking, and for which organization',
    resolve: (_root, _args, ctx) => ctx.principal,
  }),
);

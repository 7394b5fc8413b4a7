import { toPublicId } from '../../domain/ids.ts';
import { builder } from '../builder.ts';
import { ROLES, type Principal, type Role as RoleName } from '../../auth/principal.ts';
import { selectionOf } from '../selection.ts';
import { implementNode, Node } from './node.ts';

const ROLE_DESCRIPTIONS: { readonly [R in RoleName]: string } = {
  viewer: 'Reads and follows',
  member: 'Also starts and cancels jobs',
  admin: 'Also manages the organization',
};

const Role = builder.enumType('Role', {
  description: 'What a caller may do: each role may all that the ones before it may.',
  values: Object.fromEntries(
    ROLES.map((role) => [role.toUpperCase(), { value: role, description: ROLE_DESCRIPTIONS[role] }]),
  ),
});

const Organization = builder.prismaObject('Organization', {
  description: 'A tenant: all that the API shows belongs to the one of its caller.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "org_"', resolve: ({ id }) => toPublicId('organization', id) }),
    name: t.exposeString('name', { description: 'For people' }),
    timeZone: t.exposeString('timeZone', { description: 'IANA name; days begin and end in it' }),
    currency: t.exposeString('currency', { description: 'ISO 4217; what zero is shown in' }),
  }),
});

const User = builder.prismaObject('User', {
  description: 'A person.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "usr_"', resolve: ({ id }) => toPublicId('user', id) }),
    name: t.exposeString('name', { description: 'For people' }),
    email: t.exposeString('email', { description: 'E-mail address' }),
  }),
});

implementNode('organization', Organization, async (id, ctx, info) =>
  id === ctx.principal.organization.id
    ? ctx.prisma.organization.findUnique({ ...selectionOf(ctx, info, 'Organization'), where: { id } })
    : null,
);

implementNode('user', User, (id, ctx, info) =>
  ctx.prisma.user.findFirst({
    ...selectionOf(ctx, info, 'User'),
    where: { id, memberships: { some: { organizationId: ctx.principal.organization.id } } },
  }),
);

const Viewer = builder.objectRef<Principal>('Viewer').implement({
  description: 'Who is asking.',
  fields: (t) => ({
    organization: t.prismaField({
      type: Organization,
      description: 'The organization that the token belongs to',
      resolve: (query, { organization: { id } }, _args, ctx) =>
        ctx.prisma.organization.findUniqueOrThrow({ ...query, where: { id } }),
    }),
    user: t.prismaField({
      type: User,
      nullable: true,
      description: 'The person that the token belongs to; null for a key of no person',
      resolve: (query, { userId }, _args, ctx) =>
        userId === null ? null : ctx.prisma.user.findUnique({ ...query, where: { id: userId } }),
    }),
    role: t.field({ type: Role, description: 'What the token allows', resolve: ({ role }) => role }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who is asking, and for which organization',
    resolve: (_root, _args, ctx) => ctx.principal,
  }),
);

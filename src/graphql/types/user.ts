import { toPublicId } from '../../domain/ids.ts';
import { builder } from '../builder.ts';
import { selectionOf } from '../selection.ts';
import { implementNode, Node } from './node.ts';

export const User = builder.prismaObject('User', {
  description: 'A person.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "usr_"', resolve: ({ id }) => toPublicId('user', id) }),
    name: t.exposeString('name', { description: 'For people' }),
    email: t.exposeString('email', { description: 'E-mail address' }),
  }),
});

implementNode('user', User, (id, ctx, info) =>
  ctx.prisma.user.findFirst({
    ...selectionOf(ctx, info, 'User'),
    where: { id, memberships: { some: { organizationId: ctx.principal.organization.id } } },
  }),
);

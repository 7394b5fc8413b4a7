import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import { z } from 'zod';
import { changeRole, inviteMember, removeMember } from '../../auth/members.ts';
import type { UserError as UserErrorShape } from '../../domain/errors.ts';
import { toPublicId, uuidOf } from '../../domain/ids.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { Role } from './access-enums.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { User } from './user.ts';
import { UserError } from './user-error.ts';

const Member = builder.prismaObject('Membership', {
  name: 'Member',
  description: 'A person in an organization.',
  select: { userId: true },
  fields: (t) => ({
    user: t.relation('user', { type: User, description: 'The person' }),
    role: t.expose('role', { type: Role, description: 'What they are in it' }),
    joinedAt: t.expose('createdAt', { type: 'DateTime', description: 'Since when' }),
  }),
});

const MemberConnection = connectionType<{ readonly userId: string }>(
  'Member',
  (t) => t.field({ type: Member, description: 'The member', resolve: (edge) => edge.node }),
  {
    description: 'A page of members, those who were known first before the others.',
    totalCount: { nullable: false, description: 'All of the organization' },
  },
);

/** As `selectionOf` of a node: a membership has no id of its own. */
function selectionOf(ctx: GraphQLContext, info: GraphQLResolveInfo) {
  const path = ['edges', 'node'];
  const { select } = queryFromInfo({
    context: ctx,
    info,
    typeName: 'Member',
    path,
    select: { userId: true } as const,
  });
  return { select };
}

builder.queryField('members', (t) =>
  t.field({
    extensions: needs('read'),
    type: MemberConnection,
    description: 'Who is in the organization',
    args: pageArgs,
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'members', z.uuid());
      const where = { organizationId: ctx.principal.organization.id };
      const rows = await ctx.prisma.membership.findMany({
        ...selectionOf(ctx, info),
        where: { ...where, ...(request.after === null ? {} : { userId: { gt: request.after } }) },
        orderBy: { userId: 'asc' },
        take: request.first + 1,
      });
      const totalCount = () => ctx.prisma.membership.count({ where });
      return toPage({ list: 'members', request, rows, keyOf: ({ userId }) => userId, totalCount });
    },
  }),
);

interface Changed extends WithUserErrors {
  readonly userId: string | null;
}

const USER_ERRORS = 'What must be mended; empty when it worked';
const asList = ({ userErrors }: WithUserErrors): UserErrorShape[] => [...userErrors];

const MemberPayload = builder.objectRef<Changed>('MemberPayload').implement({
  description: 'The member as they are now.',
  fields: (t) => ({
    member: t.prismaField({
      type: Member,
      nullable: true,
      description: 'Null with `userErrors`',
      resolve: (query, { userId }, _args, ctx) =>
        userId === null
          ? null
          : ctx.prisma.membership.findFirst({
              ...query,
              where: { userId, organizationId: ctx.principal.organization.id },
            }),
    }),
    userErrors: t.field({ type: [UserError], description: USER_ERRORS, resolve: asList }),
  }),
});

const RemoveMemberPayload = builder.objectRef<Changed>('RemoveMemberPayload').implement({
  description: 'Who is no member any more.',
  fields: (t) => ({
    removedUserId: t.id({
      nullable: true,
      description: 'Null with `userErrors`',
      resolve: ({ userId }) => (userId === null ? null : toPublicId('user', userId)),
    }),
    userErrors: t.field({ type: [UserError], description: USER_ERRORS, resolve: asList }),
  }),
});

/** Runs a change of one member; a person's mistake becomes `userErrors`. */
const changed = (run: () => Promise<string>): Promise<Changed> =>
  withUserErrors<Omit<Changed, 'userErrors'>>({ userId: null }, async () => ({ userId: await run() }));

const InviteMemberInput = builder.inputType('InviteMemberInput', {
  description: 'A person who is to be a member.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address that the identity provider knows them by' }),
    name: t.string({ required: true, description: 'For people; 1 to 200 characters' }),
    role: t.field({ type: Role, required: true, description: 'What they are to be' }),
  }),
});

builder.mutationField('inviteMember', (t) =>
  t.field({
    extensions: needs('manage_organization'),
    type: MemberPayload,
    description:
      'Makes somebody a member: with their next token of the identity provider they are in. Somebody who is a member already: CONFLICT. For admins',
    args: { input: t.arg({ type: InviteMemberInput, required: true, description: 'The person' }) },
    resolve: (_root, { input }, { db, principal }) => changed(() => inviteMember(db, principal, input)),
  }),
);

builder.mutationField('updateMember', (t) =>
  t.field({
    extensions: needs('manage_organization'),
    type: MemberPayload,
    description: 'Gives a member another role. The last admin stays one: CONFLICT. For admins',
    args: {
      userId: t.arg.id({ required: true, description: 'Id of the user' }),
      role: t.arg({ type: Role, required: true, description: 'What they are to be' }),
    },
    resolve: (_root, { userId, role }, { db, principal }) =>
      changed(() => changeRole(db, principal, uuidOf('user', userId), role)),
  }),
);

builder.mutationField('removeMember', (t) =>
  t.field({
    extensions: needs('manage_organization'),
    type: RemoveMemberPayload,
    description:
      'Takes somebody out of the organization, and revokes the keys that act in their name. The last admin stays: CONFLICT. For admins',
    args: { userId: t.arg.id({ required: true, description: 'Id of the user' }) },
    resolve: (_root, { userId }, { db, principal }) =>
      changed(() => removeMember(db, principal, uuidOf('user', userId))),
  }),
);

import { z } from 'zod';
import { changeOrganization } from '../../auth/organizations.ts';
import type { UserError as UserErrorShape } from '../../domain/errors.ts';
import { toPublicId } from '../../domain/ids.ts';
import { Prisma, type Organization as OrganizationRow } from '../../generated/prisma/client.ts';
import { REVENUE_SOURCES, type RevenueSources as RevenueSourcesValue } from '../../domain/revenue-sources.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { onlyColumns, selectionOf } from '../selection.ts';
import { implementNode, Node } from './node.ts';
import { UserError } from './user-error.ts';

const REVENUE_DESCRIPTIONS: { readonly [S in RevenueSourcesValue]: string } = {
  auto: 'Shops and imported orders; payments where there are none',
  shops: 'Shops and imported orders, never payments',
  payments: 'Payments alone',
  all: 'Everything that is connected, also where two accounts tell of the same sales',
};

const RevenueSources = builder.enumType('RevenueSources', {
  description: 'Which accounts make up the revenue, so that nothing counts twice.',
  values: Object.fromEntries(
    REVENUE_SOURCES.map((choice) => [
      choice.toUpperCase(),
      { value: choice, description: REVENUE_DESCRIPTIONS[choice] },
    ]),
  ),
});

export const Organization = builder.prismaObject('Organization', {
  description: 'A tenant: all that the API shows belongs to the one of its caller.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "org_"', resolve: ({ id }) => toPublicId('organization', id) }),
    name: t.exposeString('name', { description: 'For people' }),
    timeZone: t.exposeString('timeZone', { description: 'IANA name; days begin and end in it' }),
    currency: t.exposeString('currency', { description: 'ISO 4217; what zero is shown in' }),
    jobRetentionDays: t.exposeInt('jobRetentionDays', {
      nullable: true,
      description: 'Settled jobs are kept so many days, with all that is theirs; null: for ever',
    }),
    revenueSources: t.field({
      type: RevenueSources,
      select: { revenueSources: true },
      description: 'Which accounts the revenue is counted from',
      resolve: ({ revenueSources }) => z.enum(REVENUE_SOURCES).parse(revenueSources),
    }),
    externalId: t.exposeString('externalId', {
      nullable: true,
      description: 'The name under which tokens of the identity provider know it',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made' }),
  }),
});

/** The caller's organization, with what a query selects of it. */
export async function callersOrganization(ctx: GraphQLContext, query: object): Promise<OrganizationRow> {
  const { id } = ctx.principal.organization;
  if (onlyColumns(Prisma.OrganizationScalarFieldEnum, query)) return ctx.accounts.organization(id);
  return ctx.prisma.organization.findUniqueOrThrow({ ...query, where: { id } });
}

implementNode('organization', Organization, async (id, ctx, info) =>
  id === ctx.principal.organization.id
    ? ctx.prisma.organization.findUnique({ ...selectionOf(ctx, info, 'Organization'), where: { id } })
    : null,
);

builder.queryField('organization', (t) =>
  t.prismaField({
    extensions: needs('read'),
    type: Organization,
    description: "The caller's organization",
    resolve: (query, _root, _args, ctx) => callersOrganization(ctx, query),
  }),
);

const UpdateOrganizationInput = builder.inputType('UpdateOrganizationInput', {
  description: 'What is absent stays.',
  fields: (t) => ({
    name: t.string({ description: 'For people; 1 to 200 characters' }),
    timeZone: t.string({ description: 'IANA name, such as "Europe/Berlin"; panels read in it from now on' }),
    currency: t.string({ description: 'ISO 4217, such as "EUR"' }),
    jobRetentionDays: t.int({
      description:
        'Days that settled jobs are kept, 1 to 3,650; null: for ever. What is older goes within the hour',
    }),
    revenueSources: t.field({
      type: RevenueSources,
      description: 'Which accounts the revenue is counted from',
    }),
  }),
});

const OrganizationPayload = builder.objectRef<WithUserErrors>('OrganizationPayload').implement({
  description: 'The organization as it is now.',
  fields: (t) => ({
    organization: t.prismaField({
      type: Organization,
      description: 'As it was, with `userErrors`',
      resolve: (query, _payload, _args, ctx) => callersOrganization(ctx, query),
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

builder.mutationField('updateOrganization', (t) =>
  t.field({
    extensions: needs('manage_organization'),
    type: OrganizationPayload,
    description: "Changes the caller's organization. For admins",
    args: { input: t.arg({ type: UpdateOrganizationInput, required: true, description: 'What changes' }) },
    resolve: (_root, { input }, { jobs, principal }) =>
      withUserErrors({}, async () => {
        await changeOrganization(jobs, principal, {
          name: input.name ?? undefined,
          timeZone: input.timeZone ?? undefined,
          currency: input.currency ?? undefined,
          jobRetentionDays: input.jobRetentionDays,
          revenueSources: input.revenueSources ?? undefined,
        });
        return {};
      }),
  }),
);

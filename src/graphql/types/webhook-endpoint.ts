import { z } from 'zod';
import { toPublicId } from '../../domain/ids.ts';
import { WEBHOOK_EVENT_TYPES } from '../../domain/webhook.ts';
import type { WebhookDisabledReason as Reason } from '../../generated/prisma/enums.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { implementNode, Node } from './node.ts';

export const WebhookEventType = builder.enumType('WebhookEventType', {
  description: 'What an endpoint may choose to be told of.',
  values: {
    JOB_FAILED: { value: 'job.failed', description: 'A job failed for good: "job.failed"' },
    JOB_COMPLETED_WITH_WARNINGS: {
      value: 'job.completed_with_warnings',
      description: 'A job is done, and something of it needs a look: "job.completed_with_warnings"',
    },
  } as const,
});

const WebhookDisabledReason = builder.enumType('WebhookDisabledReason', {
  description: 'Why an endpoint gets nothing.',
  values: {
    MANUAL: { value: 'manual', description: 'Somebody disabled it' },
    GONE: { value: 'gone', description: 'It answered 410 Gone' },
    FAILING: { value: 'failing', description: 'It has taken nothing for days' },
  } as const satisfies {
    readonly [R in Reason as Uppercase<R>]: { readonly value: R; readonly description: string };
  },
});

/** Only what a query selects is read; admins alone get to see one. */
export const WebhookEndpoint = builder.prismaObject('WebhookEndpoint', {
  extensions: needs('manage_webhooks'),
  description: 'An address that is told of events, signed as in Standard Webhooks. For admins.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({
      description: 'Starts with "whe_"',
      resolve: ({ id }) => toPublicId('webhookEndpoint', id),
    }),
    url: t.exposeString('url', { description: 'Where events are POSTed to' }),
    description: t.exposeString('description', { description: 'For people' }),
    eventTypes: t.field({
      type: [WebhookEventType],
      description: 'What it is told of; digests and tests come whatever stands here',
      select: { eventTypes: true },
      resolve: ({ eventTypes }) => WEBHOOK_EVENT_TYPES.filter((type) => eventTypes.includes(type)),
    }),
    enabled: t.boolean({
      description: 'Whether it gets anything',
      select: { disabledAt: true },
      resolve: ({ disabledAt }) => disabledAt === null,
    }),
    disabledAt: t.expose('disabledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it gets nothing',
    }),
    disabledReason: t.expose('disabledReason', {
      type: WebhookDisabledReason,
      nullable: true,
      description: 'Why it gets nothing',
    }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'When it began to take nothing; null while all is well',
    }),
    previousSecretExpiresAt: t.expose('previousSecretExpiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until then the secret before the last rotation signs too',
    }),
    createdBy: t.exposeString('createdBy', { description: 'manual:<user> or api:<key name>' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added' }),
  }),
});

/** What no query may reach past: the caller's organization, and those who may manage them. */
export function visibleEndpoints({ principal: { organization, permissions } }: GraphQLContext) {
  return {
    organizationId: organization.id,
    ...(permissions.has('manage_webhooks') ? {} : { id: { in: [] } }),
  };
}

implementNode('webhookEndpoint', WebhookEndpoint, (id, ctx, info) =>
  ctx.prisma.webhookEndpoint.findFirst({
    ...selectionOf(ctx, info, 'WebhookEndpoint'),
    where: { AND: [visibleEndpoints(ctx), { id }] },
  }),
);

const WebhookEndpointConnection = connectionType<{ readonly id: string }>(
  'WebhookEndpoint',
  (t) => t.field({ type: WebhookEndpoint, description: 'The endpoint', resolve: (edge) => edge.node }),
  {
    description: 'A page of webhook endpoints, oldest first.',
    totalCount: { nullable: false, description: 'All of the organization' },
  },
);

builder.queryField('webhookEndpoints', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookEndpointConnection,
    description: "The organization's webhook endpoints, oldest first. For admins",
    args: pageArgs,
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'webhookEndpoints', z.uuid());
      const where = visibleEndpoints(ctx);
      const rows = await ctx.prisma.webhookEndpoint.findMany({
        ...selectionOf(ctx, info, 'WebhookEndpoint', ['edges', 'node']),
        where: { AND: [where, request.after === null ? {} : { id: { gt: request.after } }] },
        orderBy: { id: 'asc' },
        take: request.first + 1,
      });
      const totalCount = () => ctx.prisma.webhookEndpoint.count({ where });
      return toPage({ list: 'webhookEndpoints', request, rows, keyOf: ({ id }) => id, totalCount });
    },
  }),
);

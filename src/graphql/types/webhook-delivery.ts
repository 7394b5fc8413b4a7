import { z } from 'zod';
import type { GraphQLResolveInfo } from 'graphql';
import { toPublicId } from '../../domain/ids.ts';
import type { WebhookDeliveryStatus as Status } from '../../domain/webhook.ts';
import { countDeliveries, readDeliveryIds } from '../../repositories/webhook-deliveries.ts';
import { defineBatch } from '../batch.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage, type Page } from './connection.ts';
import { implementNode, Node } from './node.ts';
import { visibleEndpoints, WebhookEndpoint } from './webhook-endpoint.ts';

/** Attempts that are shown of one delivery; it has eight, and as many for each time it is delivered again. */
const ATTEMPTS_SHOWN_MAX = 100;

const WebhookDeliveryStatus = builder.enumType('WebhookDeliveryStatus', {
  description: 'Where the delivery of a webhook stands.',
  values: {
    PENDING: { value: 'pending', description: 'It is tried, or tried again at `nextAttemptAt`' },
    DELIVERED: { value: 'delivered', description: 'The endpoint took it' },
    FAILED: { value: 'failed', description: 'It is not tried any more; `redeliverWebhook` does' },
  } as const satisfies {
    readonly [S in Status as Uppercase<S>]: { readonly value: S; readonly description: string };
  },
});

builder.prismaObject('WebhookAttempt', {
  extensions: needs('manage_webhooks'),
  description: 'One request to an endpoint.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it ended' }),
    durationMs: t.exposeInt('durationMs', { description: 'How long it took' }),
    responseCode: t.exposeInt('responseCode', {
      nullable: true,
      description: 'Status of the answer; null when none came',
    }),
    errorMessage: t.exposeString('errorMessage', {
      nullable: true,
      description: 'Why it failed; null when it was taken',
    }),
  }),
});

export const WebhookDelivery = builder.prismaObject('WebhookDelivery', {
  extensions: needs('manage_webhooks'),
  description: 'One event for one endpoint, however often it is tried. For admins.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "whd_"', resolve: ({ id }) => toPublicId('webhookDelivery', id) }),
    eventId: t.id({
      description: 'The header `webhook-id`: the same at each attempt and endpoint',
      select: { eventId: true },
      resolve: ({ eventId }) => toPublicId('webhookEvent', eventId),
    }),
    eventType: t.exposeString('eventType', {
      description: 'job.failed, job.completed_with_warnings, notifications.digest or test',
    }),
    jobId: t.id({
      nullable: true,
      description: 'Id of the job that it tells of',
      select: { jobId: true },
      resolve: ({ jobId }) => (jobId === null ? null : toPublicId('job', jobId)),
    }),
    payload: t.expose('payload', { type: 'JSON', description: 'The body of the request' }),
    status: t.expose('status', { type: WebhookDeliveryStatus, description: 'Where it stands' }),
    responseCode: t.exposeInt('responseCode', {
      nullable: true,
      description: 'Status of the last answer; null when none came',
    }),
    errorMessage: t.exposeString('errorMessage', {
      nullable: true,
      description: 'Why the last attempt failed',
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again; null before the first attempt and after the last',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the event was noted' }),
    deliveredAt: t.expose('deliveredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the endpoint took it',
    }),
    endpoint: t.relation('endpoint', { description: 'Where it goes' }),
    attempts: t.relation('attempts', {
      description: `Oldest first; the first ${ATTEMPTS_SHOWN_MAX}`,
      query: { orderBy: { number: 'asc' }, take: ATTEMPTS_SHOWN_MAX },
    }),
  }),
});

export function visibleDeliveries(ctx: GraphQLContext) {
  return visibleEndpoints(ctx);
}

implementNode('webhookDelivery', WebhookDelivery, (id, ctx, info) =>
  ctx.prisma.webhookDelivery.findFirst({
    ...selectionOf(ctx, info, 'WebhookDelivery'),
    where: { AND: [visibleDeliveries(ctx), { id }] },
  }),
);

interface DeliveryRow {
  readonly id: string;
}

const WebhookDeliveryConnection = connectionType<DeliveryRow>(
  'WebhookDelivery',
  (t) => t.field({ type: WebhookDelivery, description: 'The delivery', resolve: (edge) => edge.node }),
  {
    description: 'A page of deliveries to an endpoint, newest first; kept for 30 days.',
    totalCount: { nullable: true, description: 'Exact up to 10,000 and null beyond' },
  },
);

interface DeliveryPage {
  readonly first: number;
  readonly before: string | null;
  readonly status: Status | null;
}

const loadDeliveryIds = defineBatch((ctx, page: DeliveryPage, endpointIds: readonly string[]) =>
  readDeliveryIds(ctx.db, endpointIds, { ...page, organizationId: ctx.principal.organization.id }),
);

const loadDeliveryCount = defineBatch((ctx, status: Status | null, endpointIds: readonly string[]) =>
  countDeliveries(ctx.db, endpointIds, {
    organizationId: ctx.principal.organization.id,
    status,
    max: TOTAL_COUNT_MAX + 1,
  }),
);

const loadDelivery = defineBatch(
  async (ctx, selection: ReturnType<typeof selectionOf>, ids: readonly string[]) => {
    const rows = await ctx.prisma.webhookDelivery.findMany({
      ...selection,
      where: { AND: [visibleDeliveries(ctx), { id: { in: [...ids] } }] },
    });
    return new Map(rows.map((row) => [row.id, row]));
  },
);

interface DeliveryArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly status?: Status | null | undefined;
}

async function deliveriesOf(
  endpointId: string,
  args: DeliveryArgs,
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
): Promise<Page<DeliveryRow>> {
  const request = readPage(ctx, args, 'webhookDeliveries', z.uuid());
  const status = args.status ?? null;
  const page = { first: request.first + 1, before: request.after, status };
  const ids = (await loadDeliveryIds(ctx, JSON.stringify(page), page, endpointId)) ?? [];
  const selection = selectionOf(ctx, info, 'WebhookDelivery', ['edges', 'node']);
  // One field of the document asks the same of each endpoint's deliveries: they are read together.
  const found = await Promise.all(ids.map((id) => loadDelivery(ctx, info.fieldNodes[0], selection, id)));
  const totalCount = async () => {
    const count = (await loadDeliveryCount(ctx, `count ${status ?? 'all'}`, status, endpointId)) ?? 0;
    return count > TOTAL_COUNT_MAX ? null : count;
  };
  const rows = found.filter((row) => row !== undefined);
  return toPage({ list: 'webhookDeliveries', request, rows, keyOf: ({ id }) => id, totalCount });
}

builder.prismaObjectField(WebhookEndpoint, 'deliveries', (t) =>
  t.field({
    type: WebhookDeliveryConnection,
    description: 'What was sent to it, newest first',
    args: { ...pageArgs, status: t.arg({ type: WebhookDeliveryStatus, description: 'Only these' }) },
    select: { id: true },
    resolve: (endpoint, args, ctx, info) => deliveriesOf(endpoint.id, args, ctx, info),
  }),
);

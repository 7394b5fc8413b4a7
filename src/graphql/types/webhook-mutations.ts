import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import { toPublicId, uuidOf } from '../../domain/ids.ts';
import { WEBHOOK_EVENT_TYPES } from '../../domain/webhook.ts';
import { noSuchDelivery, redeliver, sendTest } from '../../notify/webhook-deliveries.ts';
import {
  changeEndpoint,
  createEndpoint,
  noSuchEndpoint,
  rotateSecret,
} from '../../notify/webhook-endpoints.ts';
import { deleteEndpoint, setEndpointEnabled } from '../../repositories/webhook-endpoints.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { UserError } from './user-error.ts';
import { visibleDeliveries, WebhookDelivery } from './webhook-delivery.ts';
import { visibleEndpoints, WebhookEndpoint, WebhookEventType } from './webhook-endpoint.ts';

const OVERLAP_HOURS_MAX = 7 * 24;
const HOUR_MS = 60 * 60_000;

const asList = ({ userErrors }: WithUserErrors): UserErrorShape[] => [...userErrors];
const USER_ERRORS = 'What must be mended; empty when it worked';

interface Changed extends WithUserErrors {
  readonly endpointId: string | null;
  /** Told once, when it was made */
  readonly secret: string | null;
}

const WebhookEndpointPayload = builder.objectRef<Changed>('WebhookEndpointPayload').implement({
  description: 'The endpoint as it is now.',
  fields: (t) => ({
    endpoint: t.prismaField({
      type: WebhookEndpoint,
      nullable: true,
      description: 'Null with `userErrors`',
      resolve: (query, { endpointId }, _args, ctx) =>
        endpointId === null
          ? null
          : ctx.prisma.webhookEndpoint.findFirst({
              ...query,
              where: { AND: [visibleEndpoints(ctx), { id: endpointId }] },
            }),
    }),
    secret: t.exposeString('secret', {
      nullable: true,
      description: 'The new signing secret, "whsec_…", after it was made or rotated. It is shown this once',
    }),
    userErrors: t.field({ type: [UserError], description: USER_ERRORS, resolve: asList }),
  }),
});

/** Runs what changes an endpoint; a person's mistake becomes `userErrors`. */
function changed(run: () => Promise<{ id: string; secret?: string }>): Promise<Changed> {
  return withUserErrors<Omit<Changed, 'userErrors'>>({ endpointId: null, secret: null }, async () => {
    const { id, secret = null } = await run();
    return { endpointId: id, secret };
  });
}

/** @throws UserFacingError: what is no endpoint's id is the id of no endpoint */
function endpointIdOf(publicId: string): string {
  const id = uuidOf('webhookEndpoint', publicId);
  if (id === null) throw noSuchEndpoint();
  return id;
}

const CreateWebhookEndpointInput = builder.inputType('CreateWebhookEndpointInput', {
  description: 'An address that is to be told of events.',
  fields: (t) => ({
    url: t.string({ required: true, description: 'Of a public host, with https in production' }),
    description: t.string({ defaultValue: '', description: 'For people; at most 500 characters' }),
    eventTypes: t.field({
      type: [WebhookEventType],
      description: 'What it is told of; absent: all',
    }),
  }),
});

builder.mutationField('createWebhookEndpoint', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookEndpointPayload,
    description:
      'Tells an address of events from now on. The payload holds the secret, this once. For admins',
    args: { input: t.arg({ type: CreateWebhookEndpointInput, required: true, description: 'The endpoint' }) },
    resolve: (_root, { input }, { webhooks, principal: { organization, triggeredBy } }) =>
      changed(() =>
        createEndpoint(
          webhooks,
          { organizationId: organization.id, createdBy: triggeredBy },
          {
            url: input.url,
            description: input.description ?? '',
            eventTypes: input.eventTypes ?? [...WEBHOOK_EVENT_TYPES],
          },
        ),
      ),
  }),
);

const UpdateWebhookEndpointInput = builder.inputType('UpdateWebhookEndpointInput', {
  description: 'What is absent stays.',
  fields: (t) => ({
    url: t.string({ description: 'Of a public host, with https in production' }),
    description: t.string({ description: 'For people; at most 500 characters' }),
    eventTypes: t.field({ type: [WebhookEventType], description: 'What it is told of' }),
  }),
});

builder.mutationField('updateWebhookEndpoint', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookEndpointPayload,
    description: 'Changes an endpoint. For admins',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the endpoint' }),
      input: t.arg({ type: UpdateWebhookEndpointInput, required: true, description: 'What changes' }),
    },
    resolve: (_root, { id, input }, { webhooks, principal: { organization } }) =>
      changed(async () => {
        const uuid = endpointIdOf(id);
        await changeEndpoint(webhooks, organization.id, uuid, {
          url: input.url ?? undefined,
          description: input.description ?? undefined,
          eventTypes: input.eventTypes ?? undefined,
        });
        return { id: uuid };
      }),
  }),
);

const setEnabled = (ctx: GraphQLContext, id: string, enabled: boolean): Promise<Changed> =>
  changed(async () => {
    const uuid = endpointIdOf(id);
    if (!(await setEndpointEnabled(ctx.db, ctx.principal.organization.id, uuid, enabled)))
      throw noSuchEndpoint();
    return { id: uuid };
  });

builder.mutationField('disableWebhookEndpoint', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookEndpointPayload,
    description: 'It gets nothing from now on; what waits for it fails. For admins',
    args: { id: t.arg.id({ required: true, description: 'Id of the endpoint' }) },
    resolve: (_root, { id }, ctx) => setEnabled(ctx, id, false),
  }),
);

builder.mutationField('enableWebhookEndpoint', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookEndpointPayload,
    description: 'It is told of events again; what it missed can be delivered again one by one. For admins',
    args: { id: t.arg.id({ required: true, description: 'Id of the endpoint' }) },
    resolve: (_root, { id }, ctx) => setEnabled(ctx, id, true),
  }),
);

builder.mutationField('rotateWebhookSecret', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookEndpointPayload,
    description:
      'A new signing secret, in the payload this once. The one before signs too until the overlap is over. For admins',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the endpoint' }),
      overlapHours: t.arg.int({
        defaultValue: 24,
        description: `How long both sign, 0 to ${OVERLAP_HOURS_MAX} hours`,
      }),
    },
    resolve: (_root, { id, overlapHours }, { webhooks, principal: { organization } }) =>
      changed(async () => {
        const uuid = endpointIdOf(id);
        const hours = overlapHours ?? 24;
        if (hours < 0 || hours > OVERLAP_HOURS_MAX) {
          const message = `Expected 0 to ${OVERLAP_HOURS_MAX} hours, got ${hours}.`;
          throw UserFacingError.of('INVALID', ['overlapHours'], message);
        }
        return { id: uuid, secret: await rotateSecret(webhooks, organization.id, uuid, hours * HOUR_MS) };
      }),
  }),
);

interface Deleted extends WithUserErrors {
  readonly deletedId: string | null;
}

const DeleteWebhookEndpointPayload = builder.objectRef<Deleted>('DeleteWebhookEndpointPayload').implement({
  description: 'What is gone.',
  fields: (t) => ({
    deletedId: t.exposeID('deletedId', { nullable: true, description: 'Null with `userErrors`' }),
    userErrors: t.field({ type: [UserError], description: USER_ERRORS, resolve: asList }),
  }),
});

builder.mutationField('deleteWebhookEndpoint', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: DeleteWebhookEndpointPayload,
    description: 'Removes an endpoint with the history of its deliveries. For admins',
    args: { id: t.arg.id({ required: true, description: 'Id of the endpoint' }) },
    resolve: (_root, { id }, { db, principal: { organization } }) =>
      withUserErrors<Omit<Deleted, 'userErrors'>>({ deletedId: null }, async () => {
        const uuid = endpointIdOf(id);
        if (!(await deleteEndpoint(db, organization.id, uuid))) throw noSuchEndpoint();
        return { deletedId: toPublicId('webhookEndpoint', uuid) };
      }),
  }),
);

interface Sent extends WithUserErrors {
  readonly deliveryId: string | null;
}

const WebhookDeliveryPayload = builder.objectRef<Sent>('WebhookDeliveryPayload').implement({
  description: 'The delivery as it is now; read it again by its id to see what came of it.',
  fields: (t) => ({
    delivery: t.prismaField({
      type: WebhookDelivery,
      nullable: true,
      description: 'Null with `userErrors`',
      resolve: (query, { deliveryId }, _args, ctx) =>
        deliveryId === null
          ? null
          : ctx.prisma.webhookDelivery.findFirst({
              ...query,
              where: { AND: [visibleDeliveries(ctx), { id: deliveryId }] },
            }),
    }),
    userErrors: t.field({ type: [UserError], description: USER_ERRORS, resolve: asList }),
  }),
});

builder.mutationField('sendTestWebhook', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookDeliveryPayload,
    description: 'Sends an endpoint an event of type "test", signed like any other. For admins',
    args: { id: t.arg.id({ required: true, description: 'Id of the endpoint' }) },
    resolve: (_root, { id }, { webhooks, clock, principal: { organization } }) =>
      withUserErrors<Omit<Sent, 'userErrors'>>({ deliveryId: null }, async () => ({
        deliveryId: await sendTest(webhooks, organization.id, endpointIdOf(id), clock.now()),
      })),
  }),
);

builder.mutationField('redeliverWebhook', (t) =>
  t.field({
    extensions: needs('manage_webhooks'),
    type: WebhookDeliveryPayload,
    description: 'Sends the same message, with the same `webhook-id`, once more. For admins',
    args: { deliveryId: t.arg.id({ required: true, description: 'Id of the delivery' }) },
    resolve: (_root, { deliveryId }, { webhooks, principal: { organization } }) =>
      withUserErrors<Omit<Sent, 'userErrors'>>({ deliveryId: null }, async () => {
        const id = uuidOf('webhookDelivery', deliveryId);
        if (id === null) throw noSuchDelivery();
        await redeliver(webhooks, organization.id, id);
        return { deliveryId: id };
      }),
  }),
);

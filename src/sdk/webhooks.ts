import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type WebhookEndpoint = operations.WebhookEndpointFieldsFragment;
export type WebhookDelivery = operations.WebhookDeliveryFieldsFragment;

export type WebhookDeliveryPage = Extract<
  NonNullable<operations.ListWebhookDeliveriesQuery['node']>,
  { readonly deliveries: unknown }
>['deliveries'];

/** An endpoint with its signing secret, which is told this once. */
export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

/** For admins. All mutations throw MillraceUserError for a person's mistake. */
export interface Webhooks {
  list(options?: CallOptions): Promise<readonly WebhookEndpoint[]>;
  /** A page of what was sent to one, newest first; null when there is no such endpoint. */
  deliveries(
    variables: operations.ListWebhookDeliveriesQueryVariables,
    options?: CallOptions,
  ): Promise<WebhookDeliveryPage | null>;
  create(input: operations.CreateWebhookEndpointInput, options?: CallOptions): Promise<EndpointWithSecret>;
  update(
    id: string,
    input: operations.UpdateWebhookEndpointInput,
    options?: CallOptions,
  ): Promise<WebhookEndpoint>;
  enable(id: string, options?: CallOptions): Promise<WebhookEndpoint>;
  disable(id: string, options?: CallOptions): Promise<WebhookEndpoint>;
  delete(id: string, options?: CallOptions): Promise<void>;
  /** Both secrets sign for `overlapHours`, 24 unless told otherwise. */
  rotateSecret(
    id: string,
    options?: CallOptions & { readonly overlapHours?: number },
  ): Promise<EndpointWithSecret>;
  sendTest(id: string, options?: CallOptions): Promise<WebhookDelivery>;
  redeliver(deliveryId: string, options?: CallOptions): Promise<WebhookDelivery>;
}

export function createWebhooks(execute: Execute): Webhooks {
  return {
    async list(options) {
      const { webhookEndpoints } = await execute(operations.ListWebhookEndpointsDocument, {}, options);
      return webhookEndpoints.edges.map(({ node }) => node);
    },
    async deliveries(variables, options) {
      const { node } = await execute(operations.ListWebhookDeliveriesDocument, variables, options);
      return node && 'deliveries' in node ? node.deliveries : null;
    },
    create: async (input, options) =>
      withSecret(
        (await execute(operations.CreateWebhookEndpointDocument, { input }, options)).createWebhookEndpoint,
      ),
    update: async (id, input, options) =>
      endpointOf(
        (await execute(operations.UpdateWebhookEndpointDocument, { id, input }, options))
          .updateWebhookEndpoint,
      ),
    enable: async (id, options) =>
      endpointOf(
        (await execute(operations.EnableWebhookEndpointDocument, { id }, options)).enableWebhookEndpoint,
      ),
    disable: async (id, options) =>
      endpointOf(
        (await execute(operations.DisableWebhookEndpointDocument, { id }, options)).disableWebhookEndpoint,
      ),
    async delete(id, options) {
      const answer = await execute(operations.DeleteWebhookEndpointDocument, { id }, options);
      throwUserErrors(answer.deleteWebhookEndpoint);
    },
    async rotateSecret(id, { overlapHours = 24, ...options } = {}) {
      const variables = { id, overlapHours };
      return withSecret(
        (await execute(operations.RotateWebhookSecretDocument, variables, options)).rotateWebhookSecret,
      );
    },
    sendTest: async (id, options) =>
      deliveryOf((await execute(operations.SendTestWebhookDocument, { id }, options)).sendTestWebhook),
    redeliver: async (deliveryId, options) =>
      deliveryOf(
        (await execute(operations.RedeliverWebhookDocument, { deliveryId }, options)).redeliverWebhook,
      ),
  };
}

function endpointOf(payload: operations.ChangedEndpointFieldsFragment): WebhookEndpoint {
  throwUserErrors(payload);
  if (!payload.endpoint) throw new MillraceError('The server changed no endpoint and gave no reason.');
  return payload.endpoint;
}

function withSecret(payload: operations.ChangedEndpointFieldsFragment): EndpointWithSecret {
  const endpoint = endpointOf(payload);
  if (payload.secret === null) throw new MillraceError('The server told no secret.');
  return { endpoint, secret: payload.secret };
}

function deliveryOf(payload: operations.SentDeliveryFieldsFragment): WebhookDelivery {
  throwUserErrors(payload);
  if (!payload.delivery) throw new MillraceError('The server sent nothing and gave no reason.');
  return payload.delivery;
}

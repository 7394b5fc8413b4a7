import { UserFacingError } from '../domain/errors.ts';
import { newUuid, toPublicId } from '../domain/ids.ts';
import { startBatchIn } from '../queue/start-batch.ts';
import type { Tx } from '../repositories/db.ts';
import { lockDelivery, reopenDelivery } from '../repositories/webhook-deliveries.ts';
import { isEndpointEnabled } from '../repositories/webhook-endpoints.ts';
import { noSuchEndpoint, type WebhookDeps } from './webhook-endpoints.ts';
import { carrierOf, writeDeliveries } from './webhook-events.ts';

type DeliveryDeps = Pick<WebhookDeps, 'db' | 'catalogue'>;

/** @returns the id of the delivery. @throws UserFacingError */
export function sendTest(
  { db, catalogue }: DeliveryDeps,
  organizationId: string,
  endpointId: string,
  now: Date,
): Promise<string> {
  return db.transaction(async (tx) => {
    const isEnabled = await isEndpointEnabled(tx, organizationId, endpointId);
    if (isEnabled === null) throw noSuchEndpoint();
    if (!isEnabled) throw disabled();
    const data = {
      organizationId: toPublicId('organization', organizationId),
      message: 'This is a test: if you can verify its signature, all is well.',
    };
    const event = {
      id: newUuid(),
      organizationId,
      type: 'test',
      at: now,
      jobId: null,
      data,
      covers: [],
    } as const;
    return only(await writeDeliveries(tx, catalogue, [{ event, endpointId }]));
  });
}

/** The same message, with the same id, once more. @throws UserFacingError */
export function redeliver(
  { db, catalogue }: DeliveryDeps,
  organizationId: string,
  id: string,
): Promise<void> {
  return db.transaction(async (tx: Tx) => {
    const delivery = await lockDelivery(tx, organizationId, id);
    if (!delivery) throw noSuchDelivery();
    if (delivery.status === 'pending')
      throw UserFacingError.of('CONFLICT', ['deliveryId'], 'The delivery is under way already.');
    if (!delivery.isEnabled) throw disabled();
    const carriers = await startBatchIn(tx, catalogue, [carrierOf(organizationId, id)]);
    await reopenDelivery(tx, id, only(carriers));
  });
}

export function noSuchDelivery(): UserFacingError {
  return UserFacingError.of('NOT_FOUND', ['deliveryId'], 'There is no such webhook delivery.');
}

function disabled(): UserFacingError {
  return UserFacingError.of('CONFLICT', null, 'The endpoint is disabled. Enable it first.');
}

function only(ids: readonly string[]): string {
  const [id] = ids;
  if (id === undefined) throw new Error('nothing was written');
  return id;
}

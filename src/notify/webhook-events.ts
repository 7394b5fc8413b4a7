import { newUuid, toPublicId } from '../domain/ids.ts';
import { digestTotal, type DigestKinds } from '../domain/notice.ts';
import type { WebhookEventType, WebhookMessageType } from '../domain/webhook.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import { startBatchIn } from '../queue/start-batch.ts';
import type { Tx } from '../repositories/db.ts';
import type { ClosedDigest, UntoldJob } from '../repositories/notices.ts';
import { insertDeliveries, type NewDelivery } from '../repositories/webhook-deliveries.ts';
import { readLiveEndpoints } from '../repositories/webhook-endpoints.ts';

/** Something that an organization's endpoints are told. */
export interface WebhookEvent {
  /** uuid; public as `evt_…`, the message's id */
  readonly id: string;
  readonly organizationId: string;
  readonly type: WebhookMessageType;
  readonly at: Date;
  /** The job that it is about */
  readonly jobId: string | null;
  readonly data: object;
  /** Endpoints that chose one of these get it */
  readonly covers: readonly WebhookEventType[];
}

/** As an endpoint receives it. */
export function payloadOf({ type, at, data }: Pick<WebhookEvent, 'type' | 'at' | 'data'>) {
  return { type, timestamp: at.toISOString(), data };
}

/** @param linkBase where people reach the API, '' when that is not known here */
export function jobEvent(id: string, job: UntoldJob, linkBase: string): WebhookEvent {
  const type = job.status === 'failed' ? 'job.failed' : 'job.completed_with_warnings';
  const jobId = toPublicId('job', job.id);
  return {
    id,
    organizationId: job.organizationId,
    type,
    at: job.completedAt,
    jobId: job.id,
    covers: [type],
    data: {
      organizationId: toPublicId('organization', job.organizationId),
      jobId,
      kind: job.kind.toUpperCase(),
      status: job.status.toUpperCase(),
      triggeredBy: job.triggeredBy,
      errorCode: job.errorCode,
      errorMessage: job.errorMessage,
      counts: job.counts,
      startedAt: job.startedAt?.toISOString() ?? null,
      completedAt: job.completedAt.toISOString(),
      statusUrl: `${linkBase}/jobs/${jobId}`,
    },
  };
}

export function digestEvent(digest: ClosedDigest): WebhookEvent {
  const { failed, warned } = digestTotal(digest.kinds);
  return {
    id: digest.id,
    organizationId: digest.organizationId,
    type: 'notifications.digest',
    at: digest.to,
    jobId: null,
    covers: [
      ...(failed > 0 ? (['job.failed'] as const) : []),
      ...(warned > 0 ? (['job.completed_with_warnings'] as const) : []),
    ],
    data: {
      organizationId: toPublicId('organization', digest.organizationId),
      failed,
      completedWithWarnings: warned,
      kinds: kindsOf(digest.kinds),
      from: digest.from.toISOString(),
      to: digest.to.toISOString(),
    },
  };
}

function kindsOf(kinds: DigestKinds) {
  return Object.entries(kinds).map(([kind, { failed, warned }]) => ({
    kind: kind.toUpperCase(),
    failed,
    completedWithWarnings: warned,
  }));
}

/** Writes one delivery for each endpoint that wants an event, with the job that carries it. */
export async function deliverEvents(
  tx: Tx,
  catalogue: JobCatalogue,
  events: readonly WebhookEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const endpoints = await readLiveEndpoints(tx, [...new Set(events.map((event) => event.organizationId))]);
  const wanted = events.flatMap((event) =>
    endpoints
      .filter(({ organizationId }) => organizationId === event.organizationId)
      .filter(({ eventTypes }) => event.covers.some((type) => eventTypes.includes(type)))
      .map(({ id }) => ({ event, endpointId: id })),
  );
  await writeDeliveries(tx, catalogue, wanted);
}

interface WantedDelivery {
  readonly event: WebhookEvent;
  readonly endpointId: string;
}

/** @returns the ids of the deliveries, in the order in which they were wanted */
export async function writeDeliveries(
  tx: Tx,
  catalogue: JobCatalogue,
  wanted: readonly WantedDelivery[],
): Promise<string[]> {
  const ids = wanted.map(() => newUuid());
  const carriers = await startBatchIn(
    tx,
    catalogue,
    wanted.map(({ event }, index) => carrierOf(event.organizationId, ids[index])),
  );
  const deliveries = wanted.map(({ event, endpointId }, index): NewDelivery => {
    const [id, carrierJobId] = [ids[index], carriers[index]];
    if (!id || !carrierJobId) throw new Error('a delivery without a job to carry it');
    const { organizationId, id: eventId, type: eventType, jobId } = event;
    return {
      id,
      organizationId,
      endpointId,
      eventId,
      eventType,
      jobId,
      payload: payloadOf(event),
      carrierJobId,
    };
  });
  await insertDeliveries(tx, deliveries);
  return ids;
}

/** The job that brings a delivery to its endpoint. */
export function carrierOf(organizationId: string, deliveryId: string | undefined) {
  const kind = 'webhook_delivery';
  return { organizationId, kind, input: { deliveryId }, triggeredBy: 'system:webhooks' };
}

import { z } from 'zod';
import { WEBHOOK_DELIVERY_STATUSES, type WebhookDeliveryStatus } from '../domain/webhook.ts';
import type { Sql, Tx } from './db.ts';

export interface NewDelivery {
  readonly id: string;
  readonly organizationId: string;
  readonly endpointId: string;
  /** uuid; the same for all endpoints */
  readonly eventId: string;
  readonly eventType: string;
  readonly jobId: string | null;
  readonly payload: object;
  /** The internal job that carries it */
  readonly carrierJobId: string;
}

export async function insertDeliveries(sql: Sql, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await sql.query(
    `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, job_id, payload, carrier_job_id)
     SELECT id, "organizationId", "endpointId", "eventId", "eventType", "jobId", payload, "carrierJobId"
     FROM jsonb_to_recordset($1::jsonb) AS given
       (id uuid, "organizationId" uuid, "endpointId" uuid, "eventId" uuid, "eventType" text, "jobId" uuid,
        payload jsonb, "carrierJobId" uuid)`,
    [JSON.stringify(deliveries)],
  );
}

const dueDelivery = z
  .object({
    id: z.uuid(),
    endpointId: z.uuid(),
    eventId: z.uuid(),
    payload: z.record(z.string(), z.unknown()),
    url: z.string(),
    isEnabled: z.boolean(),
    secret: z.string(),
    previousSecret: z.string().nullable(),
  })
  .readonly();
/** A delivery with what its endpoint takes; the secrets are encrypted, the previous one is null once it has expired. */
export type DueDelivery = z.infer<typeof dueDelivery>;

/** Null when it is gone, done, or carried by another job. */
export async function findDueDelivery(
  sql: Sql,
  id: string,
  carrierJobId: string,
): Promise<DueDelivery | null> {
  const { rows } = await sql.query(
    `SELECT d.id, d.endpoint_id AS "endpointId", d.event_id AS "eventId", d.payload, e.url,
            e.disabled_at IS NULL AS "isEnabled", e.secret,
            CASE WHEN e.previous_secret_expires_at > now() THEN e.previous_secret END AS "previousSecret"
     FROM webhook_deliveries d
     JOIN webhook_endpoints e ON e.organization_id = d.organization_id AND e.id = d.endpoint_id
     WHERE d.id = $1 AND d.carrier_job_id = $2 AND d.status = 'pending'`,
    [id, carrierJobId],
  );
  return rows[0] ? dueDelivery.parse(rows[0]) : null;
}

/** How one attempt went. */
export interface AttemptReport {
  readonly durationMs: number;
  readonly responseCode: number | null;
  /** For people; null when it was taken */
  readonly errorMessage: string | null;
  /** `nextInMs`: when it is tried again; null: never */
  readonly next:
    { readonly status: 'delivered' } | { readonly status: 'failed'; readonly nextInMs: number | null };
}

export async function reportAttempt(sql: Sql, deliveryId: string, report: AttemptReport): Promise<void> {
  const { next } = report;
  const nextInMs = next.status === 'failed' ? next.nextInMs : null;
  const status = nextInMs === null ? next.status : 'pending';
  await sql.query(
    `WITH delivery AS (
       UPDATE webhook_deliveries SET
         status = $2::webhook_delivery_status, response_code = $3, error_message = $4,
         next_attempt_at = now() + $5 * interval '1 millisecond',
         delivered_at = CASE WHEN $2::text = 'delivered' THEN now() END
       WHERE id = $1 RETURNING id
     )
     INSERT INTO webhook_attempts (delivery_id, number, duration_ms, response_code, error_message)
     SELECT id, 1 + coalesce((SELECT max(number) FROM webhook_attempts a WHERE a.delivery_id = delivery.id), 0), $6, $3, $4
     FROM delivery`,
    [deliveryId, status, report.responseCode, report.errorMessage, nextInMs, report.durationMs],
  );
}

/** Ends a delivery that is not tried any more. */
export async function failDelivery(sql: Sql, deliveryId: string, errorMessage: string): Promise<void> {
  await sql.query(
    `UPDATE webhook_deliveries SET status = 'failed', error_message = $2, next_attempt_at = NULL
     WHERE id = $1 AND status = 'pending'`,
    [deliveryId, errorMessage],
  );
}

const lockedDelivery = z.object({
  endpointId: z.uuid(),
  status: z.enum(WEBHOOK_DELIVERY_STATUSES),
  isEnabled: z.boolean(),
});

/** Locked until the transaction ends; null when the organization has no such delivery. */
export async function lockDelivery(
  tx: Tx,
  organizationId: string,
  id: string,
): Promise<z.infer<typeof lockedDelivery> | null> {
  const { rows } = await tx.query(
    `SELECT d.endpoint_id AS "endpointId", d.status, e.disabled_at IS NULL AS "isEnabled"
     FROM webhook_deliveries d
     JOIN webhook_endpoints e ON e.organization_id = d.organization_id AND e.id = d.endpoint_id
     WHERE d.organization_id = $1 AND d.id = $2 FOR UPDATE OF d`,
    [organizationId, id],
  );
  return rows[0] ? lockedDelivery.parse(rows[0]) : null;
}

/** The same message once more, by another job. */
export async function reopenDelivery(tx: Tx, id: string, carrierJobId: string): Promise<void> {
  await tx.query(
    `UPDATE webhook_deliveries SET status = 'pending', carrier_job_id = $2, next_attempt_at = NULL, delivered_at = NULL
     WHERE id = $1`,
    [id, carrierJobId],
  );
}

/** Ends deliveries whose job ended without a word: its workers died, or somebody cancelled it. @returns how many */
export async function failAbandonedDeliveries(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL,
                                   error_message = 'It was given up before an attempt ended.'
     WHERE id IN (
       SELECT d.id FROM webhook_deliveries d LEFT JOIN jobs j ON j.id = d.carrier_job_id
       WHERE d.status = 'pending' AND (j.id IS NULL OR j.status NOT IN ('pending', 'running'))
       LIMIT $1 FOR UPDATE OF d SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}

/** Removes ended deliveries that are older than `days`, at most `limit`, with their attempts. @returns how many */
export async function pruneWebhookDeliveries(sql: Sql, limit: number, days = 30): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM webhook_deliveries WHERE id IN (
       SELECT id FROM webhook_deliveries WHERE created_at < now() - make_interval(days => $2) AND status <> 'pending'
       ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit, days],
  );
  return rowCount ?? 0;
}

interface DeliveryPage {
  readonly organizationId: string;
  readonly first: number;
  /** Only deliveries that are older than this one; null: from the newest */
  readonly before: string | null;
  /** Only these; null: all */
  readonly status: WebhookDeliveryStatus | null;
}

/** Ids of the newest deliveries of several endpoints by one statement, newest first. */
export async function readDeliveryIds(
  sql: Sql,
  endpointIds: readonly string[],
  page: DeliveryPage,
): Promise<Map<string, string[]>> {
  const { rows } = await sql.query<{ endpointId: string; ids: string[] }>(
    `SELECT wanted.id AS "endpointId", array_agg(d.id ORDER BY d.id DESC) AS ids
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT id FROM webhook_deliveries
       WHERE organization_id = $2 AND endpoint_id = wanted.id AND ($3::uuid IS NULL OR id < $3)
         AND ($4::webhook_delivery_status IS NULL OR status = $4)
       ORDER BY id DESC LIMIT $5
     ) AS d
     GROUP BY wanted.id`,
    [[...new Set(endpointIds)], page.organizationId, page.before, page.status, page.first],
  );
  return new Map(rows.map(({ endpointId, ids }) => [endpointId, ids]));
}

/** Number of each endpoint's deliveries, counted up to `max` each. */
export async function countDeliveries(
  sql: Sql,
  endpointIds: readonly string[],
  { organizationId, status, max }: Pick<DeliveryPage, 'organizationId' | 'status'> & { readonly max: number },
): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ endpointId: string; count: number }>(
    `SELECT wanted.id AS "endpointId", d.count
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS count FROM (
         SELECT 1 FROM webhook_deliveries
         WHERE organization_id = $2 AND endpoint_id = wanted.id
           AND ($3::webhook_delivery_status IS NULL OR status = $3) LIMIT $4) AS counted
     ) AS d`,
    [[...new Set(endpointIds)], organizationId, status, max],
  );
  return new Map(rows.map(({ endpointId, count }) => [endpointId, count]));
}

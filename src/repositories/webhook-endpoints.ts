import { z } from 'zod';
import { WEBHOOK_ENDPOINTS_MAX, WEBHOOK_EVENT_TYPES, type WebhookEventType } from '../domain/webhook.ts';
import type { Sql, Tx } from './db.ts';

/** Table and columns whose values are encrypted: a ciphertext is bound to its place. */
export const ENDPOINT_SECRETS = {
  table: 'webhook_endpoints',
  current: 'secret',
  previous: 'previous_secret',
};

/** Types that a newer release stored are passed over. */
const eventTypes = z
  .array(z.string())
  .transform((types) => WEBHOOK_EVENT_TYPES.filter((known) => types.includes(known)));

export interface NewEndpoint {
  readonly id: string;
  readonly organizationId: string;
  readonly url: string;
  readonly description: string;
  readonly eventTypes: readonly WebhookEventType[];
  /** Encrypted */
  readonly secret: string;
  readonly createdBy: string;
}

/** @returns false when the organization has as many as it may have */
export async function insertEndpoint(tx: Tx, endpoint: NewEndpoint): Promise<boolean> {
  // Two at once count one after the other. Jobs refer to the row too, and are not held up by this lock.
  await tx.query('SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE', [endpoint.organizationId]);
  const { rowCount } = await tx.query(
    `INSERT INTO webhook_endpoints (id, organization_id, url, description, event_types, secret, created_by)
     SELECT $1, $2, $3, $4, $5, $6, $7
     WHERE (SELECT count(*) FROM webhook_endpoints WHERE organization_id = $2) < ${WEBHOOK_ENDPOINTS_MAX}`,
    [
      endpoint.id,
      endpoint.organizationId,
      endpoint.url,
      endpoint.description,
      endpoint.eventTypes,
      endpoint.secret,
      endpoint.createdBy,
    ],
  );
  return rowCount === 1;
}

/** What is given replaces what was there. */
export interface EndpointChange {
  readonly url?: string | undefined;
  readonly description?: string | undefined;
  readonly eventTypes?: readonly WebhookEventType[] | undefined;
}

/** @returns false when the organization has no such endpoint */
export async function updateEndpoint(
  sql: Sql,
  organizationId: string,
  id: string,
  { url, description, eventTypes: types }: EndpointChange,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE webhook_endpoints SET url = coalesce($3, url), description = coalesce($4, description),
                                  event_types = coalesce($5, event_types)
     WHERE organization_id = $1 AND id = $2`,
    [organizationId, id, url ?? null, description ?? null, types ?? null],
  );
  return rowCount === 1;
}

/** By a person's hand; what was wrong before an endpoint is enabled is forgotten. */
export async function setEndpointEnabled(
  sql: Sql,
  organizationId: string,
  id: string,
  enabled: boolean,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    enabled
      ? `UPDATE webhook_endpoints SET disabled_at = NULL, disabled_reason = NULL, failures = 0, failing_since = NULL
         WHERE organization_id = $1 AND id = $2`
      : `UPDATE webhook_endpoints SET disabled_at = coalesce(disabled_at, now()),
                                      disabled_reason = coalesce(disabled_reason, 'manual')
         WHERE organization_id = $1 AND id = $2`,
    [organizationId, id],
  );
  return rowCount === 1;
}

/** With its deliveries. */
export async function deleteEndpoint(sql: Sql, organizationId: string, id: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    'DELETE FROM webhook_endpoints WHERE organization_id = $1 AND id = $2',
    [organizationId, id],
  );
  return rowCount === 1;
}

/** The encrypted secret, locked until the transaction ends; null when there is no such endpoint. */
export async function lockEndpointSecret(tx: Tx, organizationId: string, id: string): Promise<string | null> {
  const { rows } = await tx.query<{ secret: string }>(
    'SELECT secret FROM webhook_endpoints WHERE organization_id = $1 AND id = $2 FOR UPDATE',
    [organizationId, id],
  );
  return rows[0]?.secret ?? null;
}

interface RotatedSecret {
  /** Encrypted, both */
  readonly secret: string;
  readonly previousSecret: string;
  /** How long both sign, in ms */
  readonly overlapMs: number;
}

export async function replaceEndpointSecret(tx: Tx, id: string, rotated: RotatedSecret): Promise<void> {
  await tx.query(
    `UPDATE webhook_endpoints SET secret = $2, previous_secret = $3,
                                  previous_secret_expires_at = now() + $4 * interval '1 millisecond'
     WHERE id = $1`,
    [id, rotated.secret, rotated.previousSecret, rotated.overlapMs],
  );
}

const liveEndpoint = z.object({ id: z.uuid(), organizationId: z.uuid(), eventTypes });
export type LiveEndpoint = z.infer<typeof liveEndpoint>;

/** Enabled endpoints of these organizations; none of them is deleted before the transaction ends. */
export async function readLiveEndpoints(tx: Tx, organizationIds: readonly string[]): Promise<LiveEndpoint[]> {
  const { rows } = await tx.query(
    `SELECT id, organization_id AS "organizationId", event_types AS "eventTypes" FROM webhook_endpoints
     WHERE organization_id = ANY ($1::uuid[]) AND disabled_at IS NULL ORDER BY id FOR KEY SHARE`,
    [organizationIds],
  );
  return z.array(liveEndpoint).parse(rows);
}

/** @returns whether it is enabled; null when the organization has no such endpoint */
export async function isEndpointEnabled(tx: Tx, organizationId: string, id: string): Promise<boolean | null> {
  const { rows } = await tx.query<{ enabled: boolean }>(
    `SELECT disabled_at IS NULL AS enabled FROM webhook_endpoints
     WHERE organization_id = $1 AND id = $2 FOR KEY SHARE`,
    [organizationId, id],
  );
  return rows[0]?.enabled ?? null;
}

/** So many failures in a row, over so long, and an endpoint is given up. */
export const GIVE_UP_AFTER = { failures: 20, days: 5 };

/** Notes how an attempt went; an endpoint that is gone, or has failed for days, is disabled. */
export async function noteAttempt(
  sql: Sql,
  id: string,
  outcome: 'delivered' | 'failed' | 'gone',
): Promise<void> {
  if (outcome === 'delivered') {
    await sql.query(
      `UPDATE webhook_endpoints SET failures = 0, failing_since = NULL WHERE id = $1 AND failures > 0`,
      [id],
    );
    return;
  }
  await sql.query(
    `UPDATE webhook_endpoints e SET
       failures = failures + 1, failing_since = coalesce(failing_since, now()),
       disabled_at = CASE WHEN verdict.reason IS NULL THEN disabled_at ELSE coalesce(disabled_at, now()) END,
       disabled_reason = coalesce(disabled_reason, verdict.reason)
     FROM (SELECT id, CASE WHEN $2 THEN 'gone'::webhook_disabled_reason
                           WHEN failures + 1 >= ${GIVE_UP_AFTER.failures}
                                AND failing_since < now() - interval '${GIVE_UP_AFTER.days} days' THEN 'failing' END AS reason
           FROM webhook_endpoints WHERE id = $1 FOR NO KEY UPDATE) AS verdict
     WHERE e.id = verdict.id`,
    [id, outcome === 'gone'],
  );
}

import { newUuid, toPublicId, type IdType } from '../../src/domain/ids.ts';
import type { Database } from '../../src/repositories/db.ts';
import { seedJob } from './job-rows.ts';

/** Types of which a tenant has rows that are named by an id. */
export const TENANT_TYPES = [
  'job',
  'upload',
  'file',
  'product',
  'variant',
  'schedule',
  'organization',
  'user',
  'apiKey',
  'notification',
  'webhookEndpoint',
  'webhookDelivery',
  'activity',
] as const satisfies readonly IdType[];
export type TenantType = (typeof TENANT_TYPES)[number];

/**
 * One row of each type for an organization that has a member and a key.
 * @returns their ids as clients know them
 */
export async function seedTenant(db: Database, organizationId: string): Promise<Record<TenantType, string>> {
  const job = await seedJob(db, organizationId, { status: 'failed' });
  const made = {
    upload: newUuid(),
    file: newUuid(),
    product: newUuid(),
    variant: newUuid(),
    schedule: newUuid(),
    notification: newUuid(),
    webhookEndpoint: newUuid(),
    webhookDelivery: newUuid(),
    activity: newUuid(),
  };
  const { rows } = await db.query<{ user: string; key: string }>(
    `SELECT m.user_id AS "user", k.id AS key FROM memberships m JOIN api_keys k USING (organization_id, user_id)
     WHERE m.organization_id = $1 AND m.role = 'admin' LIMIT 1`,
    [organizationId],
  );
  const [admin] = rows;
  if (!admin) throw new Error('expected an organization with an admin who has a key');
  const statements: readonly (readonly [string, readonly unknown[]])[] = [
    [
      `INSERT INTO uploads (id, organization_id, filename, content_type, storage_key, received_at, expires_at)
       VALUES ($1, $2, 'a.csv', 'text/csv', 'key', now(), now() + interval '1 day')`,
      [made.upload, organizationId],
    ],
    [
      `INSERT INTO stored_files (id, organization_id, job_id, role, filename, content_type, byte_size, sha256, storage_key)
       VALUES ($1, $2, $3, 'output', 'a.csv', 'text/csv', 1, 'aa', 'key')`,
      [made.file, organizationId, job.uuid],
    ],
    [
      `INSERT INTO products (id, organization_id, handle, title, status, search_text)
       VALUES ($1, $2, 'h', 'T', 'active', 't')`,
      [made.product, organizationId],
    ],
    [
      `INSERT INTO product_variants (id, organization_id, product_id, variant_key) VALUES ($1, $2, $3, 'sku:1')`,
      [made.variant, organizationId, made.product],
    ],
    [
      `INSERT INTO schedules (id, organization_id, name, kind, version, input, every_seconds, next_due_at, created_by)
       VALUES ($1, $2, 'nightly', 'product_import', 1, '{}', 60, now() + interval '1 day', 'api:test')`,
      [made.schedule, organizationId],
    ],
    [
      `INSERT INTO notifications (id, organization_id, recipient_id, user_id, type, job_id, title, body, in_app, email)
       VALUES ($1, $2, $3, $3, 'job_failed', $4, 'T', 'B', true, false)`,
      [made.notification, organizationId, admin.user, job.uuid],
    ],
    [
      `INSERT INTO webhook_endpoints (id, organization_id, url, description, event_types, secret, created_by)
       VALUES ($1, $2, 'https://hooks.example.com/', '', '{job.failed}', 'x', 'api:test')`,
      [made.webhookEndpoint, organizationId],
    ],
    [
      `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, payload, status, carrier_job_id)
       VALUES ($1, $2, $3, gen_random_uuid(), 'test', '{}', 'failed', gen_random_uuid())`,
      [made.webhookDelivery, organizationId, made.webhookEndpoint],
    ],
    [
      `INSERT INTO activities (id, organization_id, actor, action, is_audit, succeeded, summary)
       VALUES ($1, $2, 'api:test', 'cancelJob', true, true, 'Cancel job')`,
      [made.activity, organizationId],
    ],
  ];
  for (const [text, values] of statements) await db.query(text, values);
  const uuids = { ...made, job: job.uuid, organization: organizationId, user: admin.user, apiKey: admin.key };
  return {
    job: toPublicId('job', uuids.job),
    upload: toPublicId('upload', uuids.upload),
    file: toPublicId('file', uuids.file),
    product: toPublicId('product', uuids.product),
    variant: toPublicId('variant', uuids.variant),
    schedule: toPublicId('schedule', uuids.schedule),
    organization: toPublicId('organization', uuids.organization),
    user: toPublicId('user', uuids.user),
    apiKey: toPublicId('apiKey', uuids.apiKey),
    notification: toPublicId('notification', uuids.notification),
    webhookEndpoint: toPublicId('webhookEndpoint', uuids.webhookEndpoint),
    webhookDelivery: toPublicId('webhookDelivery', uuids.webhookDelivery),
    activity: toPublicId('activity', uuids.activity),
  };
}

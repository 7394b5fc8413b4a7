import type { RevenueSources } from '../domain/revenue-sources.ts';
import type { Sql } from './db.ts';

/** What is given replaces what was there. */
export interface OrganizationChange {
  readonly name?: string | undefined;
  /** IANA name */
  readonly timeZone?: string | undefined;
  /** ISO 4217 */
  readonly currency?: string | undefined;
  /** Null: settled jobs stay for ever */
  readonly jobRetentionDays?: number | null | undefined;
  readonly revenueSources?: RevenueSources | undefined;
}

/** @returns whether its time zone is another than before */
export async function updateOrganization(sql: Sql, id: string, change: OrganizationChange): Promise<boolean> {
  const { rows } = await sql.query<{ isMoved: boolean }>(
    `WITH known AS (SELECT time_zone FROM organizations WHERE id = $1 FOR NO KEY UPDATE)
     UPDATE organizations SET name = coalesce($2, name), time_zone = coalesce($3, time_zone),
            currency = coalesce($4, currency), revenue_sources = coalesce($7, revenue_sources),
            job_retention_days = CASE WHEN $5 THEN $6::int ELSE job_retention_days END
     WHERE id = $1
     RETURNING time_zone <> (SELECT time_zone FROM known) AS "isMoved"`,
    [
      id,
      change.name ?? null,
      change.timeZone ?? null,
      change.currency ?? null,
      change.jobRetentionDays !== undefined,
      change.jobRetentionDays ?? null,
      change.revenueSources ?? null,
    ],
  );
  return rows[0]?.isMoved ?? false;
}

export interface NewOrganization {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string;
  /** With the identity provider; no two may have the same */
  readonly externalId: string | null;
}

/** @returns false when another one has its external id */
export async function insertOrganization(sql: Sql, organization: NewOrganization): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO organizations (id, name, time_zone, currency, external_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (external_id) DO NOTHING`,
    [
      organization.id,
      organization.name,
      organization.timeZone,
      organization.currency,
      organization.externalId,
    ],
  );
  return rowCount === 1;
}

/** The organization with this uuid or external id, or null. */
export async function findOrganization(
  sql: Sql,
  { uuid, externalId }: { readonly uuid: string | null; readonly externalId: string },
): Promise<string | null> {
  const { rows } = await sql.query<{ id: string }>(
    'SELECT id FROM organizations WHERE id = $1 OR external_id = $2',
    [uuid, externalId],
  );
  return rows[0]?.id ?? null;
}

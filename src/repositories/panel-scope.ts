import type { Period } from '../domain/period.ts';

/** Whose rollups are read, and of which days: only those of connections that count. */
export interface PanelScope extends Period {
  readonly organizationId: string;
  /** Uuids */
  readonly connectionIds: readonly string[];
}

/** The scope as a WHERE over any of the rollups: $1 to $4, in the order of `scopeValues`. */
export const IN_SCOPE =
  'organization_id = $1 AND connection_id = ANY($2::uuid[]) AND day BETWEEN $3::date AND $4::date';

export function scopeValues({ organizationId, connectionIds, from, to }: PanelScope): unknown[] {
  return [organizationId, connectionIds, from, to];
}

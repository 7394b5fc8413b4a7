import { z } from 'zod';
import type { Histogram } from '../domain/histogram.ts';
import type { Period } from '../domain/period.ts';
import type { Sql } from './db.ts';

/** How one provider answered in a period. */
export interface ProviderFigures {
  readonly provider: string;
  /** Answers that were read */
  readonly pages: number;
  /** Requests that came to nothing */
  readonly failures: number;
  /** ms per answer */
  readonly latency: Histogram;
}

const PROVIDERS = `
  WITH days AS MATERIALIZED (
    SELECT provider, pages, failures, latency FROM provider_days
    WHERE organization_id = $1 AND day BETWEEN $2::date AND $3::date
  ), buckets AS (
    SELECT provider, jsonb_object_agg(bucket, count) AS latency
    FROM (SELECT provider, key AS bucket, sum(value::bigint) AS count FROM days, jsonb_each_text(latency) GROUP BY 1, 2) AS bucket
    GROUP BY 1
  )
  SELECT provider, sum(pages)::float8 AS pages, sum(failures)::float8 AS failures,
         coalesce(min(buckets.latency::text)::jsonb, '{}') AS latency
  FROM days LEFT JOIN buckets USING (provider) GROUP BY provider ORDER BY provider`;

/** By provider, by name; those that were not asked in the period are left out. */
export async function providerFigures(
  sql: Sql,
  organizationId: string,
  { from, to }: Period,
): Promise<ProviderFigures[]> {
  const { rows } = await sql.query<Omit<ProviderFigures, 'latency'> & { latency: unknown }>(PROVIDERS, [
    organizationId,
    from,
    to,
  ]);
  return rows.map(({ latency, ...row }) => ({ ...row, latency: toHistogram(latency) }));
}

/** A histogram as jsonb has it: counts by the bucket's number. */
function toHistogram(stored: unknown): Histogram {
  const counts = Object.entries(z.record(z.string().regex(/^\d+$/), z.number()).parse(stored));
  return new Map(counts.map(([bucket, count]) => [Number(bucket), count]));
}

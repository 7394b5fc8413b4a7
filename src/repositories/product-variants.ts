import type { Sql } from './db.ts';

interface VariantPage {
  readonly organizationId: string;
  readonly first: number;
  /** Only variants that were made after this one; null: from the first */
  readonly after: string | null;
}

/** Ids of the first variants of several products by one statement, oldest first. */
export async function readVariantIds(
  sql: Sql,
  productIds: readonly string[],
  page: VariantPage,
): Promise<Map<string, string[]>> {
  const { rows } = await sql.query<{ productId: string; ids: string[] }>(
    `SELECT wanted.id AS "productId", v.ids
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(page.id ORDER BY page.id), '{}')::text[] AS ids FROM (
         SELECT id FROM product_variants
         WHERE organization_id = $2 AND product_id = wanted.id AND ($3::uuid IS NULL OR id > $3)
         ORDER BY id LIMIT $4
       ) AS page
     ) AS v`,
    [[...new Set(productIds)], page.organizationId, page.after, page.first],
  );
  return new Map(rows.map((row) => [row.productId, row.ids]));
}

/** Number of each product's variants. */
export async function countVariants(
  sql: Sql,
  organizationId: string,
  productIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ productId: string; count: number }>(
    `SELECT product_id AS "productId", count(*)::int AS count FROM product_variants
     WHERE organization_id = $1 AND product_id = ANY($2::uuid[]) GROUP BY product_id`,
    [organizationId, [...new Set(productIds)]],
  );
  return new Map(rows.map((row) => [row.productId, row.count]));
}

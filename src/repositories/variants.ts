import { z } from 'zod';
import type { CatalogVariant } from '../domain/product.ts';
import { makeCopy, type Copy, type CopyValue } from './copy.ts';
import type { Sql, Tx } from './db.ts';
import type { WithinProduct } from './products.ts';

const foundVariant = z.object({
  id: z.string(),
  productId: z.string(),
  key: z.string(),
  sku: z.string().nullable(),
  barcode: z.string().nullable(),
  optionValues: z.array(z.string()),
  price: z.string().nullable(),
  compareAtPrice: z.string().nullable(),
  currency: z.string().nullable(),
  inventoryQuantity: z.number().nullable(),
  weightGrams: z.string().nullable(),
  requiresShipping: z.boolean().nullable(),
  taxable: z.boolean().nullable(),
  imageUrl: z.string().nullable(),
});

/** Variants of an organization's products by their keys. */
export async function findVariants(
  sql: Sql,
  organizationId: string,
  wanted: readonly WithinProduct[],
): Promise<CatalogVariant[]> {
  if (wanted.length === 0) return [];
  const { rows } = await sql.query(
    `SELECT v.id, v.product_id AS "productId", v.variant_key AS key, v.sku, v.barcode,
            coalesce(v.option_values, '{}') AS "optionValues", v.price, v.compare_at_price AS "compareAtPrice", v.currency,
            v.inventory_quantity AS "inventoryQuantity", v.weight_grams AS "weightGrams",
            v.requires_shipping AS "requiresShipping", v.taxable, v.image_url AS "imageUrl"
       FROM unnest($2::uuid[], $3::text[]) AS wanted (product_id, variant_key)
      CROSS JOIN LATERAL (SELECT * FROM product_variants
                           WHERE organization_id = $1 AND product_id = wanted.product_id
                             AND variant_key = wanted.variant_key LIMIT 1) v`,
    [organizationId, wanted.map(({ productId }) => productId), wanted.map(({ key }) => key)],
  );
  return z.array(foundVariant).parse(rows);
}

const COLUMNS = [
  'id', 'organization_id', 'product_id', 'variant_key', 'sku', 'barcode', 'option_values', 'price', 'compare_at_price',
  'currency', 'inventory_quantity', 'weight_grams', 'requires_shipping', 'taxable', 'image_url',
] as const; // prettier-ignore

/** Variants that their products do not have yet; the catalog is locked. */
export function variantCopy(organizationId: string, variants: readonly CatalogVariant[]): Copy {
  return makeCopy(
    'product_variants',
    COLUMNS,
    variants.map((variant) => copyValues(organizationId, variant)),
  );
}

function copyValues(organizationId: string, variant: CatalogVariant): CopyValue[] {
  return [
    variant.id,
    organizationId,
    variant.productId,
    variant.key,
    variant.sku,
    variant.barcode,
    variant.optionValues,
    variant.price,
    variant.compareAtPrice,
    variant.currency,
    variant.inventoryQuantity,
    variant.weightGrams,
    variant.requiresShipping,
    variant.taxable,
    variant.imageUrl,
  ];
}

export async function updateVariants(
  tx: Tx,
  organizationId: string,
  variants: readonly CatalogVariant[],
): Promise<void> {
  if (variants.length === 0) return;
  await tx.query(
    `UPDATE product_variants v
        SET sku = c.sku, barcode = c.barcode, option_values = c."optionValues", price = c.price,
            compare_at_price = c."compareAtPrice", currency = c.currency,
            inventory_quantity = c."inventoryQuantity", weight_grams = c."weightGrams",
            requires_shipping = c."requiresShipping", taxable = c.taxable, image_url = c."imageUrl", updated_at = now()
       FROM (SELECT $1::uuid AS organization_id, given.*
               FROM jsonb_to_recordset($2::jsonb) AS given
                      (id uuid, sku text, barcode text, "optionValues" text[], price numeric,
                       "compareAtPrice" numeric, currency text, "inventoryQuantity" int, "weightGrams" numeric,
                       "requiresShipping" boolean, taxable boolean, "imageUrl" text) OFFSET 0) c
      WHERE v.organization_id = c.organization_id AND v.id = c.id`,
    [organizationId, JSON.stringify(variants)],
  );
}

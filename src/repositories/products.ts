import { z } from 'zod';
import {
  PRODUCT_STATUSES,
  productSearchText,
  type CatalogImage,
  type CatalogProduct,
} from '../domain/product.ts';
import { makeCopy, type Copy } from './copy.ts';
import type { Sql, Tx } from './db.ts';

/** Longer than the wait for any one batch of another import */
const CATALOG_LOCK_TIMEOUT = '60s';

/**
 * Makes this transaction the only import that writes to the organization's catalog: what it reads stays true until
 * it ends, so new rows can go in by COPY, and two imports of the same products wait instead of failing or locking
 * each other up.
 *
 * Also keeps the planner at index look-ups. Its figures are stale while an import fills the tables, and it would read
 * an organization's whole catalog for each batch: measured, 42 s instead of 8 s for 100,000 rows. The same is why the
 * statements of an import go from the wanted rows to the table by LATERAL or behind OFFSET 0.
 */
export async function lockCatalog(tx: Tx, organizationId: string): Promise<void> {
  // One statement: the lock is waited for with the time limit that stands before it.
  await tx.query(
    `SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
            set_config('jit', 'off', true), set_config('lock_timeout', $1, true),
            pg_advisory_xact_lock(hashtextextended('catalog ' || $2, 0))`,
    [CATALOG_LOCK_TIMEOUT, organizationId],
  );
}

/** A product as an import compares it; of the description only its MD5 in hex, as it may be long. */
export type FoundProduct = Omit<CatalogProduct, 'descriptionHtml'> & {
  readonly descriptionMd5: string | null;
};

const foundProduct = z.object({
  id: z.string(),
  handle: z.string(),
  title: z.string(),
  vendor: z.string().nullable(),
  productType: z.string().nullable(),
  tags: z.array(z.string()),
  status: z.enum(PRODUCT_STATUSES),
  optionNames: z.array(z.string()),
  descriptionMd5: z.string().nullable(),
});

/** Products of an organization by their handles. */
export async function findProducts(
  sql: Sql,
  organizationId: string,
  handles: readonly string[],
): Promise<FoundProduct[]> {
  if (handles.length === 0) return [];
  const { rows } = await sql.query(
    `SELECT p.id, p.handle, p.title, p.vendor, p.product_type AS "productType", p.status,
            coalesce(p.tags, '{}') AS tags, coalesce(p.option_names, '{}') AS "optionNames", md5(p.description_html) AS "descriptionMd5"
       FROM unnest($2::text[]) AS wanted (handle)
      CROSS JOIN LATERAL (SELECT * FROM products WHERE organization_id = $1 AND handle = wanted.handle LIMIT 1) p`,
    [organizationId, handles],
  );
  return z.array(foundProduct).parse(rows);
}

const PRODUCT_COLUMNS = [
  'id', 'organization_id', 'handle', 'title', 'description_html', 'vendor', 'product_type', 'tags', 'status',
  'option_names', 'search_text',
] as const; // prettier-ignore

/** Products whose handles are new; the catalog is locked. */
export function productCopy(organizationId: string, products: readonly CatalogProduct[]): Copy {
  const rows = products.map((product) => [
    product.id,
    organizationId,
    product.handle,
    product.title,
    product.descriptionHtml,
    product.vendor,
    product.productType,
    product.tags,
    product.status,
    product.optionNames,
    productSearchText(product),
  ]);
  return makeCopy('products', PRODUCT_COLUMNS, rows);
}

/** Columns of a stored product; `description` is absent when it stays. */
export type ProductUpdate = Omit<CatalogProduct, 'descriptionHtml'> & {
  readonly description?: { readonly html: string | null };
};

export async function updateProducts(
  tx: Tx,
  organizationId: string,
  products: readonly ProductUpdate[],
): Promise<void> {
  if (products.length === 0) return;
  const changes = products.map(({ description, ...product }) => ({
    ...product,
    described: description !== undefined,
    html: description?.html ?? null,
    searchText: productSearchText(product),
  }));
  await tx.query(
    `UPDATE products p
        SET title = c.title, vendor = c.vendor, product_type = c."productType", tags = c.tags, status = c.status,
            option_names = c."optionNames", search_text = c."searchText", updated_at = now(),
            description_html = CASE WHEN c.described THEN c.html ELSE p.description_html END
       FROM (SELECT $1::uuid AS organization_id, given.*
               FROM jsonb_to_recordset($2::jsonb) AS given
                      (id uuid, title text, vendor text, "productType" text, tags text[], status product_status,
                       "optionNames" text[], "searchText" text, described boolean, html text) OFFSET 0) c
      WHERE p.organization_id = c.organization_id AND p.id = c.id`,
    [organizationId, JSON.stringify(changes)],
  );
}

const foundImage = z.object({
  productId: z.string(),
  url: z.string(),
  position: z.number().nullable(),
  altText: z.string().nullable(),
});

/** A thing within a product: a variant's key or a picture's address. */
export interface WithinProduct {
  readonly productId: string;
  readonly key: string;
}

export async function findImages(
  sql: Sql,
  organizationId: string,
  wanted: readonly WithinProduct[],
): Promise<CatalogImage[]> {
  if (wanted.length === 0) return [];
  const { rows } = await sql.query(
    `SELECT i.product_id AS "productId", i.url, i.position, i.alt_text AS "altText"
       FROM unnest($2::uuid[], $3::text[]) AS wanted (product_id, url)
      CROSS JOIN LATERAL (SELECT * FROM product_images
                           WHERE organization_id = $1 AND product_id = wanted.product_id AND url = wanted.url LIMIT 1) i`,
    [organizationId, wanted.map(({ productId }) => productId), wanted.map(({ key }) => key)],
  );
  return z.array(foundImage).parse(rows);
}

/** Pictures that their products do not have yet; the catalog is locked. */
export function imageCopy(organizationId: string, images: readonly CatalogImage[]): Copy {
  const rows = images.map((image) => [
    organizationId,
    image.productId,
    image.url,
    image.position,
    image.altText,
  ]);
  return makeCopy('product_images', ['organization_id', 'product_id', 'url', 'position', 'alt_text'], rows);
}

export async function updateImages(
  tx: Tx,
  organizationId: string,
  images: readonly CatalogImage[],
): Promise<void> {
  if (images.length === 0) return;
  await tx.query(
    `UPDATE product_images i SET position = c.position, alt_text = c."altText"
       FROM (SELECT $1::uuid AS organization_id, given.*
               FROM jsonb_to_recordset($2::jsonb) AS given ("productId" uuid, url text, position int, "altText" text)
             OFFSET 0) c
      WHERE i.organization_id = c.organization_id AND i.product_id = c."productId" AND i.url = c.url`,
    [organizationId, JSON.stringify(images)],
  );
}

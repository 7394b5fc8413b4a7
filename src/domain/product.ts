export const PRODUCT_STATUSES = ['active', 'draft', 'archived'] as const;
export type ProductStatus = (typeof PRODUCT_STATUSES)[number];

/** A product as the catalog holds it, without its variants and pictures. */
export interface CatalogProduct {
  readonly id: string;
  /** Unique within the organization */
  readonly handle: string;
  readonly title: string;
  readonly descriptionHtml: string | null;
  readonly vendor: string | null;
  readonly productType: string | null;
  readonly tags: readonly string[];
  readonly status: ProductStatus;
  readonly optionNames: readonly string[];
}

/** Amounts and weights are decimals as text, four places, so that no float ever touches them. */
export interface CatalogVariant {
  readonly id: string;
  readonly productId: string;
  /** Identity within the product: by SKU, else by option values */
  readonly key: string;
  readonly sku: string | null;
  readonly barcode: string | null;
  /** In the order of the product's option names; "" where an option has no value */
  readonly optionValues: readonly string[];
  readonly price: string | null;
  readonly compareAtPrice: string | null;
  /** Null: the organization's */
  readonly currency: string | null;
  readonly inventoryQuantity: number | null;
  readonly weightGrams: string | null;
  readonly requiresShipping: boolean | null;
  readonly taxable: boolean | null;
  readonly imageUrl: string | null;
}

/** A picture of a product; its address is its identity. */
export interface CatalogImage {
  readonly productId: string;
  readonly url: string;
  readonly position: number | null;
  readonly altText: string | null;
}

/** What is searched: title, handle, vendor and type, lower-case. */
export function productSearchText(
  product: Pick<CatalogProduct, 'title' | 'handle' | 'vendor' | 'productType'>,
): string {
  return [product.title, product.handle, product.vendor, product.productType]
    .filter(Boolean)
    .join(' ')
    .toLowerCase();
}

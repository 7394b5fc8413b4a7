import { z } from 'zod';
import { ProviderError } from '../provider-error.ts';

export const PAGE_INFO = 'pageInfo { hasNextPage endCursor }';

/** A list of Shopify's that is read page by page. */
export const connection = z.object({
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  nodes: z.array(z.unknown()),
});
export type Connection = z.infer<typeof connection>;

/**
 * Where a list goes on.
 * @param position where this page of it began
 * @returns null at its end
 */
export function nextOf({ pageInfo }: Connection, position: string | null): string | null {
  if (!pageInfo.hasNextPage) return null;
  if (pageInfo.endCursor === null || pageInfo.endCursor === position)
    throw new ProviderError('bad_request', 'Shopify promises a next page and does not say where.');
  return pageInfo.endCursor;
}

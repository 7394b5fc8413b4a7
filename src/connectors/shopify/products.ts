import { z } from 'zod';
import { defineEntity, type PullContext } from '../connector.ts';
import { changes, changesCursor, type Listing } from './listing.ts';

const listing: Listing = {
  name: 'products',
  pageSize: 250,
  document: `
    query Products($first: Int!, $after: String, $filter: String!) {
      products(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
        pageInfo { hasNextPage endCursor }
        nodes { id handle title status vendor productType tags totalInventory createdAt updatedAt }
      }
    }
  `,
};

const moment = z.iso.datetime({ offset: true });

const product = z.object({
  id: z.string().min(1).max(500),
  handle: z.string(),
  title: z.string(),
  status: z.string(),
  vendor: z.string(),
  productType: z.string(),
  tags: z.array(z.string()),
  totalInventory: z.number(),
  createdAt: moment,
  updatedAt: moment,
});

/** Records alone: nothing is counted of products. */
export const products = defineEntity({
  title: 'Products',
  feeds: null,
  record: product,
  cursor: changesCursor,
  scan: 'changes',
  idOf: (row) => row.id,
  factsOf: () => [],
  pull: (ctx: PullContext<unknown>, after) => changes(listing, ctx, after),
});

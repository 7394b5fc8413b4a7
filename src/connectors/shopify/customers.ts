import { z } from 'zod';
import { defineEntity, type PullContext } from '../connector.ts';
import { changes, changesCursor, type Listing } from './listing.ts';

/** Who they are is left out: nothing of ours needs it, and Shopify denies names and addresses to many apps. */
const listing: Listing = {
  name: 'customers',
  pageSize: 250,
  document: `
    query Customers($first: Int!, $after: String, $filter: String!) {
      customers(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
        pageInfo { hasNextPage endCursor }
        nodes { id createdAt updatedAt numberOfOrders amountSpent { amount currencyCode } }
      }
    }
  `,
};

const moment = z.iso.datetime({ offset: true });

const customer = z.object({
  id: z.string().min(1).max(500),
  createdAt: moment,
  updatedAt: moment,
  /** A whole number of 64 bits, hence a text */
  numberOfOrders: z.string(),
  amountSpent: z.object({ amount: z.string(), currencyCode: z.string() }),
});

/** Records alone: orders say who bought. */
export const customers = defineEntity({
  title: 'Customers',
  feeds: null,
  record: customer,
  cursor: changesCursor,
  scan: 'changes',
  idOf: (row) => row.id,
  factsOf: () => [],
  pull: (ctx: PullContext<unknown>, after) => changes(listing, ctx, after),
});

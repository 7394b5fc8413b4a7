import { z } from 'zod';
import { defineEntity, type Page, type PullContext } from '../connector.ts';
import {
  count,
  fieldsOf,
  items,
  pagesOf,
  position,
  START,
  totalItems,
  type Listing,
  type Position,
} from './listing.ts';

/** https://mailchimp.com/developer/marketing/api/lists/get-lists-info/ */
const list = z.object({
  id: z.string().min(1),
  name: z.string(),
  date_created: z.string().default(''),
  /** As of now; rates are shares of 100, and left out until there are any */
  stats: z.object({
    member_count: count,
    unsubscribe_count: count,
    cleaned_count: count,
    campaign_count: count.optional(),
    campaign_last_sent: z.string().optional(),
    open_rate: z.number().optional(),
    click_rate: z.number().optional(),
  }),
});

const LISTS: Listing = {
  path: '/lists',
  query: {
    fields: fieldsOf('lists', Object.keys(list.shape)),
    // New ones come last: they move none of the pages.
    sort_field: 'date_created',
    sort_dir: 'ASC',
  },
  answer: z
    .object({ lists: items, total_items: totalItems })
    .transform((answer) => ({ records: answer.lists, total: answer.total_items })),
};

async function* pullLists(ctx: PullContext<unknown>, after: Position | null): AsyncGenerator<Page<Position>> {
  for await (const { records, total, next } of pagesOf(ctx, LISTS, after ?? START))
    yield { records, total, cursor: next ?? START, isLast: next === null };
}

/** Who can be written to. */
export const lists = defineEntity({
  title: 'Audiences',
  feeds: null,
  record: list,
  cursor: position,
  scan: 'complete',
  idOf: ({ id }) => id,
  factsOf: () => [],
  pull: pullLists,
});

import { z } from 'zod';

/**
 * What a query cost, and what is left of the points that this app has in this store.
 * @see https://shopify.dev/docs/api/usage/limits
 */
const cost = z.object({
  /** The most that it could have cost: as much must be left for it to be answered */
  requestedQueryCost: z.number().min(0),
  throttleStatus: z.object({
    maximumAvailable: z.number().min(0),
    currentlyAvailable: z.number(),
    /** Points a second */
    restoreRate: z.number().positive(),
  }),
});
export type QueryCost = z.infer<typeof cost>;

const withCost = z.object({ extensions: z.object({ cost }) });

/** Null where an answer does not tell. */
export function costOf(json: unknown): QueryCost | null {
  const parsed = withCost.safeParse(json);
  return parsed.success ? parsed.data.extensions.cost : null;
}

/** How long until there are points for the same query again, in ms: whole seconds, 0 for at once. */
export function pauseMs({ requestedQueryCost, throttleStatus }: QueryCost): number {
  const { maximumAvailable, currentlyAvailable, restoreRate } = throttleStatus;
  const missing = Math.min(requestedQueryCost, maximumAvailable) - currentlyAvailable;
  return Math.max(0, Math.ceil(missing / restoreRate)) * 1_000;
}

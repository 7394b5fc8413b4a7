import DataLoader from 'dataloader';
import type { GraphQLContext } from './context.ts';

/** Keys that are asked for within one tick, at most, in one call of `fetch`. */
const BATCH_SIZE_MAX = 1_000;

/**
 * Gathers what the resolvers of one operation ask for in the same tick into one query per group. Nothing is
 * remembered: a subscription's next event reads again.
 * @param fetch values by key; a key without one resolves to undefined
 * @returns `load(ctx, group, params, key)`: keys of equal `group` share a call, which gets the params of its first key
 */
export function defineBatch<Params, Key, Value>(
  fetch: (ctx: GraphQLContext, params: Params, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
) {
  const loaders = new WeakMap<GraphQLContext, Map<unknown, DataLoader<Key, Value | undefined>>>();

  function loaderOf(ctx: GraphQLContext, group: unknown, params: Params): DataLoader<Key, Value | undefined> {
    const groups = loaders.get(ctx) ?? new Map<unknown, DataLoader<Key, Value | undefined>>();
    loaders.set(ctx, groups);
    const known = groups.get(group);
    if (known) return known;
    const loader = new DataLoader<Key, Value | undefined>(
      async (keys) => {
        groups.delete(group);
        const values = await fetch(ctx, params, keys);
        return keys.map((key) => values.get(key));
      },
      { cache: false, maxBatchSize: BATCH_SIZE_MAX },
    );
    groups.set(group, loader);
    return loader;
  }

  return (ctx: GraphQLContext, group: unknown, params: Params, key: Key): Promise<Value | undefined> =>
    loaderOf(ctx, group, params).load(key);
}

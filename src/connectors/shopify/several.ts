import { z } from 'zod';
import { ProviderError } from '../provider-error.ts';
import type { PageQueries } from './page-queries.ts';

/** What is read of several objects of one kind, each with a list that is read from somewhere on. */
export interface Part<Data> {
  /** Of the query, for whoever watches them */
  readonly name: string;
  /** By which Shopify gives one object by its id */
  readonly root: 'order' | 'refund';
  /** @param list the arguments of the list */
  readonly fieldsOf: (list: string) => string;
  readonly data: z.ZodType<Data>;
}

interface Asked {
  readonly id: string;
  /** Where its list goes on; null: at its beginning */
  readonly after: string | null;
}

/**
 * By one query, in the order of what was asked.
 * @param first so much of each list
 * @throws ProviderError, see `lost`
 */
export async function askSeveral<Data>(
  { name, root, fieldsOf, data }: Part<Data>,
  asked: readonly Asked[],
  first: number,
  queries: PageQueries,
): Promise<Data[]> {
  const declared = asked.map((_, index) => `$id${index}: ID!, $after${index}: String`);
  const fields = asked.map(
    (_, index) =>
      `_${index}: ${root}(id: $id${index}) { ${fieldsOf(`first: $first, after: $after${index}`)} }`,
  );
  const values = asked.flatMap(({ id, after }, index) => [
    [`id${index}`, id] as const,
    [`after${index}`, after] as const,
  ]);
  const answered = await queries.ask({
    document: `query ${name}($first: Int!, ${declared.join(', ')}) { ${fields.join(' ')} }`,
    variables: { first, ...Object.fromEntries(values) },
    data: z.record(z.string(), data.nullable()),
  });
  return asked.map((_, index) => {
    const one = answered[`_${index}`];
    if (one == null) throw lost(root);
    return one;
  });
}

/** An object that Shopify named and does not give: it names it no more when the page is read again, or gives it then. */
export function lost(what: string): ProviderError {
  return new ProviderError('transient', `Shopify named one ${what} and does not give it.`);
}

import { z } from 'zod';
import type { PullContext } from '../connector.ts';
import { read } from './answer.ts';

/** The most that Mailchimp lists at once. */
const PAGE_SIZE = 1_000;

/** How much of a list was read, and how long it was then. */
export const position = z.strictObject({ offset: z.int().min(0), total: z.int().min(0).nullable() });
export type Position = z.infer<typeof position>;
export const START: Position = { offset: 0, total: null };

export interface Listing {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly answer: z.ZodType<{ readonly records: readonly unknown[]; readonly total: number }>;
}

interface Listed {
  readonly records: readonly unknown[];
  readonly total: number;
  /** Null: this was the last page */
  readonly next: Position | null;
}

/** The pages of a list, none lost: what is added or deleted meanwhile makes others come twice at the most. */
export async function* pagesOf(
  { client, signal }: PullContext<unknown>,
  { path, query, answer }: Listing,
  after: Position,
): AsyncGenerator<Listed> {
  let { offset, total: expected } = after;
  for (;;) {
    const request = { path, query: { ...query, count: PAGE_SIZE, offset } };
    const { records, total } = read(answer, await client.request(request, signal));
    const deleted = Math.max(0, (expected ?? total) - total);
    expected = total;
    if (deleted > 0 && offset > 0) {
      // What came behind the deleted ones has moved up, some of it to where we had been already.
      offset = Math.max(0, offset - deleted);
      continue;
    }
    offset += records.length;
    const isLast = records.length === 0 || offset >= total;
    yield { records, total, next: isLast ? null : { offset, total } };
    if (isLast) return;
  }
}

/** Of an answer that lists something */
export const items = z.array(z.unknown());
/** How many there are on all pages together */
export const totalItems = z.int().min(0);

export const count = z.int().min(0);

/** The parameter that asks for these fields of each item alone */
export function fieldsOf(list: string, names: readonly string[]): string {
  return [...names.map((name) => `${list}.${name}`), 'total_items'].join(',');
}

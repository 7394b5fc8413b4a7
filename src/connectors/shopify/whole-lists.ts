import { LINES_MAX } from '../../domain/facts.ts';
import { ProviderError } from '../provider-error.ts';
import { nextOf, type Connection } from './connection.ts';
import { POINTS_MAX, type PageQueries } from './page-queries.ts';
import { askSeveral, type Part } from './several.ts';

/** More together would leave little for each. */
const TOGETHER_MAX = 4;
/** An object with its list, and one line of it, at most */
const OBJECT_POINTS = 5;
const LINE_POINTS = 7;

/** A list of an object, and what is known of it. */
interface BegunList {
  readonly id: string;
  readonly shown: Connection;
}

interface Reading {
  readonly id: string;
  readonly nodes: unknown[];
  /** Null: it was read to its end */
  after: string | null;
}

/**
 * Lists of lines to their ends, in the order of what was begun, several by one query. Of a list of more than `LINES_MAX`
 * the first so many.
 */
export async function readToEnd(
  part: Part<Connection>,
  begun: readonly BegunList[],
  queries: PageQueries,
): Promise<(readonly unknown[])[]> {
  const readings = begun.map(({ id, shown }) => {
    const reading: Reading = { id, nodes: [], after: null };
    take(reading, shown);
    return reading;
  });
  for (;;) {
    const open = readings.filter(({ after }) => after !== null).slice(0, TOGETHER_MAX);
    if (open.length === 0) return readings.map(({ nodes }) => nodes.slice(0, LINES_MAX));
    const first = Math.floor((POINTS_MAX / open.length - OBJECT_POINTS) / LINE_POINTS);
    const pages = await askSeveral(part, open, first, queries);
    open.forEach((reading, index) => {
      const page = pages[index];
      if (page) take(reading, page);
    });
  }
}

function take(reading: Reading, page: Connection): void {
  reading.nodes.push(...page.nodes);
  const next = nextOf(page, reading.after);
  if (next !== null && page.nodes.length === 0)
    throw new ProviderError('bad_request', 'Shopify promises more lines and gives none.');
  reading.after = reading.nodes.length < LINES_MAX ? next : null;
}

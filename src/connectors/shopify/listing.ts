import { z } from 'zod';
import { sleep } from '../../lib/abort.ts';
import type { Page, PullContext } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { connection, nextOf, type Connection } from './connection.ts';
import { pauseMs, type QueryCost } from './cost.ts';
import { PageQueries } from './page-queries.ts';
import { API_VERSION, ask } from './query.ts';

/** Shopify's search index follows its database: what changed last may be found a little later, in ms. */
const TRAILING_MS = 5 * 60_000;
/** Longer pauses are made without a worker, in ms. */
const PAUSE_MAX_MS = 5_000;

/** Where a run is: changes since `since`, and behind `after` among them. */
export const changesCursor = z.object({
  since: z.iso.datetime(),
  /** Shopify's own cursor within the run; null at its beginning */
  after: z.string().nullable(),
});
export type ChangesCursor = z.infer<typeof changesCursor>;

/** One connection of Shopify's schema that can be sorted by UPDATED_AT, named as in `document`. */
export interface Listing {
  readonly name: string;
  /** With the variables $first, $after and $filter */
  readonly document: string;
  readonly pageSize: number;
  /** Gets what the records of a page have more of than the page shows; all of them, in their order */
  readonly complete?: (nodes: readonly unknown[], queries: PageQueries) => Promise<readonly unknown[]>;
  /** What is to be known of the first page of a first run */
  readonly notes?: (ctx: PullContext<unknown>) => readonly string[];
}

/**
 * What changed, oldest change first: whatever changes meanwhile moves to the end and is met again there. The last page
 * leaves a cursor at the newest change that was seen.
 */
export async function* changes(
  listing: Listing,
  ctx: PullContext<unknown>,
  from: ChangesCursor | null,
): AsyncGenerator<Page<ChangesCursor>> {
  const { since, after } = from ?? { since: ctx.from.toISOString(), after: null };
  const firstNotes = from ? [] : (listing.notes?.(ctx) ?? []);
  let newest = since;
  let position = after;
  for (let index = 0; ; index += 1) {
    const isResumed = index === 0 && after !== null;
    const { found, cost, notes } = await pageAt(listing, ctx, { since, after: position }, isResumed);
    newest = newestOf(found.nodes, newest, ctx.now());
    const next = nextOf(found, position);
    const cursor = next === null ? { since: newest, after: null } : { since, after: next };
    const queries = new PageQueries(ctx, cost?.throttleStatus ?? null);
    const records = (await listing.complete?.(found.nodes, queries)) ?? found.nodes;
    yield { records, cursor, isLast: next === null, notes: index === 0 ? [...firstNotes, ...notes] : notes };
    if (next === null) return;
    position = next;
    if (cost) await pause({ ...cost, throttleStatus: queries.points ?? cost.throttleStatus }, ctx);
  }
}

interface FoundPage {
  readonly found: Connection;
  readonly cost: QueryCost | null;
  readonly notes: readonly string[];
}

async function pageAt(
  listing: Listing,
  ctx: PullContext<unknown>,
  { since, after }: ChangesCursor,
  isResumed: boolean,
): Promise<FoundPage> {
  const { name, document, pageSize } = listing;
  const variables = { first: pageSize, after, filter: filterSince(since) };
  const data = z.object({ [name]: connection }).transform((answered) => answered[name]);
  try {
    const {
      data: found,
      cost,
      otherVersion,
    } = await ask(ctx.client, { document, variables, data }, ctx.signal);
    if (!found) throw new ProviderError('bad_request', `Shopify answered without ${name}.`);
    return { found, cost, notes: otherVersion === null ? [] : [versionNote(otherVersion)] };
  } catch (error) {
    // A stored cursor may be one that Shopify no longer reads; the run then starts again, and loses nothing.
    if (!isResumed || !(error instanceof ProviderError) || error.kind !== 'bad_request') throw error;
    return pageAt(listing, ctx, { since, after: null }, false);
  }
}

function filterSince(since: string): string {
  const moment = new Date(Date.parse(since) - TRAILING_MS).toISOString();
  return `updated_at:>='${moment.slice(0, 19)}Z'`;
}

const versionNote = (version: string): string =>
  `Shopify answered by its version ${version}; we asked for ${API_VERSION}.`;

const withUpdatedAt = z.object({ updatedAt: z.iso.datetime({ offset: true }) });

/** Never later than now, so that a clock that runs wild over there hides nothing that comes after. */
function newestOf(nodes: readonly unknown[], known: string, now: Date): string {
  const times = nodes.flatMap((node) => {
    const parsed = withUpdatedAt.safeParse(node);
    return parsed.success ? [Date.parse(parsed.data.updatedAt)] : [];
  });
  return new Date(Math.max(Date.parse(known), Math.min(Math.max(...times), now.getTime()))).toISOString();
}

/** Asking for what there are no points for only makes it later. */
async function pause(cost: QueryCost, { signal, now }: PullContext<unknown>): Promise<void> {
  const ms = pauseMs(cost);
  if (ms > PAUSE_MAX_MS) {
    const resumeAt = new Date(now().getTime() + ms);
    throw new ProviderError('rate_limited', 'Shopify has had enough queries for now.', { resumeAt });
  }
  await sleep(ms, signal);
  signal.throwIfAborted();
}

import { z } from 'zod';
import { toPublicId } from '../../domain/ids.ts';
import type { JobItemOutcome as Outcome } from '../../generated/prisma/enums.ts';
import { countItems, readItems, type JobItemRow } from '../../repositories/job-lists.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { connectionType, readPage, toPage, type Page } from './connection.ts';

export const JobItemOutcome = builder.enumType('JobItemOutcome', {
  description: 'What became of a row or record of the ledger.',
  values: {
    WARNED: { value: 'warned', description: 'Taken, with something to look at' },
    FAILED: { value: 'failed', description: 'Rejected' },
  } as const satisfies {
    readonly [O in Outcome as Uppercase<O>]: { readonly value: O; readonly description: string };
  },
});

const JobItem = builder.objectRef<JobItemRow>('JobItem').implement({
  description:
    "A row or record that warned or failed. `row` counts the file's records, the header being 1; `key` names what is no row (a record's id, a job, a panel).",
  fields: (t) => ({
    id: t.id({
      description: 'Opaque; the same for as long as its job is kept',
      resolve: (item) => `${toPublicId('jobItem', item.jobId)}_${item.ordinal}`,
    }),
    row: t.exposeInt('row', {
      nullable: true,
      description: "Number of the file's record, the header being 1",
    }),
    key: t.exposeString('key', {
      nullable: true,
      description: "What it is about where there are no rows: a record's id, a job, a panel",
    }),
    column: t.exposeString('column', { nullable: true, description: 'Header of the column that is wrong' }),
    value: t.exposeString('value', { nullable: true, description: 'What was found, cut to 500 characters' }),
    code: t.exposeString('code', { description: 'What is wrong, for programs' }),
    message: t.exposeString('message', { description: 'What is wrong, for people' }),
    outcome: t.field({
      type: JobItemOutcome,
      description: 'Warned or failed',
      resolve: (item) => item.outcome,
    }),
  }),
});

export const JobItemConnection = connectionType<JobItemRow>(
  'JobItem',
  (t) => t.field({ type: JobItem, description: 'The row or record', resolve: (edge) => edge.node }),
  {
    description: "A page of a job's ledger, in the order of finding.",
    totalCount: {
      nullable: false,
      description: 'Rows and records in the ledger that match; at most 100,000',
    },
  },
);

interface ItemArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly outcome?: Outcome | null | undefined;
}

interface ItemsPage {
  readonly first: number;
  readonly after: number;
  readonly outcome: Outcome | null;
}

const loadItems = defineBatch((ctx, page: ItemsPage, jobIds: readonly string[]) =>
  readItems(ctx.db, jobIds, page),
);
const loadItemCount = defineBatch((ctx, outcome: Outcome, jobIds: readonly string[]) =>
  countItems(ctx.db, jobIds, outcome),
);

/** A page of one job's ledger; the pages of a list's jobs are read together. */
export async function itemsOf(
  job: { readonly id: string; readonly itemCount: number },
  args: ItemArgs,
  ctx: GraphQLContext,
): Promise<Page<JobItemRow>> {
  const request = readPage(ctx, args, 'items', z.int().positive());
  const outcome = args.outcome ?? null;
  const page = { first: request.first + 1, after: request.after ?? 0, outcome };
  const rows = (await loadItems(ctx, JSON.stringify(page), page, job.id)) ?? [];
  return toPage({
    list: 'items',
    request,
    rows,
    keyOf: (item) => item.ordinal,
    totalCount: async () =>
      outcome === null ? job.itemCount : ((await loadItemCount(ctx, outcome, outcome, job.id)) ?? 0),
  });
}

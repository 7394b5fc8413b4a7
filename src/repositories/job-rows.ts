import type { Job, Prisma } from '../generated/prisma/client.ts';
import type { Sql } from './db.ts';

export type JobColumn = Prisma.JobScalarFieldEnum;
/** Some columns of a job, its id among them, under the names and with the values that Prisma gives them */
export type JobRow = Partial<Job> & Pick<Job, 'id'>;

/** Columns of the table that are not their name in snake case. */
const OTHER_NAMES: { readonly [C in JobColumn]?: string } = { cancelHeardAt: 'cancel_acknowledged_at' };

/** A list of columns for SELECT. */
export function jobColumns(columns: readonly JobColumn[]): string {
  const wanted = new Set<JobColumn>(['id', ...columns]);
  return [...wanted].map((column) => `"jobs"."${nameOf(column)}" AS "${column}"`).join(', ');
}

function nameOf(column: JobColumn): string {
  return OTHER_NAMES[column] ?? column.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Whose jobs may be read, and of which kinds. */
export interface JobScope {
  readonly organizationId: string;
  /** Names under which rows of the kinds that are shown are stored */
  readonly kinds: readonly string[];
}

/** Jobs by id, in any order; one that is not in the scope is left out. */
export async function readJobRows(
  sql: Sql,
  { organizationId, kinds }: JobScope,
  ids: readonly string[],
  columns: readonly JobColumn[],
): Promise<JobRow[]> {
  const { rows } = await sql.query<JobRow>(
    `SELECT ${jobColumns(columns)} FROM jobs
     WHERE organization_id = $1 AND id = ANY($2::uuid[]) AND kind = ANY($3::text[]) AND NOT internal`,
    [organizationId, ids, kinds],
  );
  return rows;
}

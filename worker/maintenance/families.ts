import type { Sql } from '../../src/repositories/db.ts';
import { findForgottenParents, wakeParents } from '../../src/repositories/job-children.ts';

const BATCH = 500;

/** Lets parents go on whose last child was settled by something that could not tell them: a cancel, a rescue, a crash. */
export async function wakeForgottenParents(sql: Sql): Promise<void> {
  const parents = await findForgottenParents(sql, BATCH);
  if (parents.length > 0) await wakeParents(sql, parents);
}

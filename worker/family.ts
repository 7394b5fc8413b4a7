import { z } from 'zod';
import { JobFailure } from '../src/domain/errors.ts';
import { toPublicId } from '../src/domain/ids.ts';
import type { Sql } from '../src/repositories/db.ts';
import { hasLiveChildren, readChildren, type ChildJob } from '../src/repositories/job-children.ts';
import { WaitsForChildren, type FailedChildren, type JobContext } from './context.ts';

/** A parent that has more reads their rows itself. */
const CHILDREN_MAX = 10_000;

/**
 * A job's children once all are settled.
 * @throws WaitsForChildren until then, JobFailure CHILD_FAILED when one did not complete and the parent minds
 */
export async function settledChildren(
  sql: Sql,
  jobId: string,
  failed: FailedChildren,
  step: JobContext['step'],
): Promise<readonly ChildJob[]> {
  if (await hasLiveChildren(sql, jobId)) throw new WaitsForChildren();
  const children = await readChildren(sql, jobId, CHILDREN_MAX);
  const bad = children.filter(({ status }) => status === 'failed' || status === 'cancelled');
  if (bad.length === 0) return children;
  if (failed === 'fail') throw childFailure(bad);
  await step('warn-of-children', z.null(), async (tx) => {
    tx.items(bad.map(ledgerItem));
    tx.count({ warned: bad.length });
    return Promise.resolve(null);
  });
  return children;
}

function childFailure(bad: readonly ChildJob[]): JobFailure {
  const [first] = bad;
  const more = bad.length > 1 ? ` (and ${bad.length - 1} more)` : '';
  const text = first ? describe(first) : '';
  return JobFailure.permanent('CHILD_FAILED', `A job that this one started did not complete: ${text}${more}`);
}

function describe({ id, kind, status, errorMessage }: ChildJob): string {
  return `${kind} ${toPublicId('job', id)} ${status === 'cancelled' ? 'was cancelled' : 'failed'}${errorMessage ? `: ${errorMessage}` : '.'}`;
}

function ledgerItem(child: ChildJob) {
  return {
    key: toPublicId('job', child.id),
    code: child.status === 'cancelled' ? 'CHILD_CANCELLED' : 'CHILD_FAILED',
    message: describe(child),
    outcome: 'warned',
  } as const;
}

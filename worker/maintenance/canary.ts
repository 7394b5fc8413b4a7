import { SYSTEM_ORGANIZATION } from '../../src/domain/system.ts';
import type { JobDeps } from '../../src/queue/deps.ts';
import { startJobIn } from '../../src/queue/start.ts';
import { isCanaryDue } from '../../src/repositories/canary.ts';

/**
 * Starts a canary when the last one is older than `everyMs`: one for the whole installation, whichever worker comes
 * first, and no second one while the first is still on its way.
 */
export async function startCanary(jobs: JobDeps, everyMs: number): Promise<void> {
  const started = await jobs.db.transaction(async (tx) => {
    if (!(await isCanaryDue(tx, everyMs / 1_000))) return null;
    return startJobIn(tx, jobs, {
      organizationId: SYSTEM_ORGANIZATION.id,
      kind: 'canary',
      input: {},
      triggeredBy: 'schedule:canary',
    });
  });
  await started?.afterCommit();
}

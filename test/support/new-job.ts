import { newUuid } from '../../src/domain/ids.ts';
import type { NewJob } from '../../src/repositories/job-inserts.ts';

/** A job to insert, of the kind "known", that nothing is special about. */
export function newJob(organizationId: string, more: Partial<NewJob> = {}): NewJob {
  return {
    id: newUuid(),
    organizationId,
    kind: 'known',
    version: 1,
    queue: 'default',
    priority: 'NORMAL',
    input: { text: 'it\'s "quoted" \\ {braces}, [lists]' },
    inputHash: Buffer.from([0, 255, 92]),
    triggeredBy: 'manual:test',
    runAt: null,
    maxAttempts: 3,
    idempotencyKey: null,
    uniqueKey: null,
    parentId: null,
    scheduleId: null,
    scheduledFor: null,
    internal: false,
    searchText: 'it\'s "quoted"',
    uploadIds: [],
    ...more,
  };
}

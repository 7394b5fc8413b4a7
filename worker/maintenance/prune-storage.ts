import { raceAbort } from '../../src/lib/abort.ts';
import { forgetRemovals, takeRemovals } from '../../src/repositories/storage-removals.ts';
import type { PruneDeps } from './prune.ts';

/** Removals of one statement, all under way at once. */
const BATCH = 20;
/** One removal takes no longer. */
const REMOVE_MS = 10_000;

/**
 * Removes bytes whose row is gone. Their removal stays written down until they are: a process that dies here, or a
 * storage that does not answer, costs another try. @returns how many are gone
 */
export async function removeStored(
  { db, storage, log }: PruneDeps,
  signal: AbortSignal,
  goesOn: () => boolean,
): Promise<number> {
  let total = 0;
  for (let taken = BATCH; taken === BATCH && goesOn();) {
    const keys = await takeRemovals(db, BATCH);
    taken = keys.length;
    const tries = await Promise.allSettled(
      keys.map((key) =>
        raceAbort(storage.remove(key), AbortSignal.any([signal, AbortSignal.timeout(REMOVE_MS)])),
      ),
    );
    const gone = keys.filter((_key, index) => tries[index]?.status === 'fulfilled');
    await forgetRemovals(db, gone);
    total += gone.length;
    const failed = tries.find((tried) => tried.status === 'rejected');
    if (failed && !signal.aborted) {
      const files = keys.length - gone.length;
      log.warn(
        { err: failed.reason as unknown, files },
        'stored files could not be removed; they are tried again later',
      );
    }
  }
  return total;
}

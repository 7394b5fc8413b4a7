import type { Database } from '../../src/repositories/db.ts';
import {
  writeRecordPage,
  type FactOwner,
  type PageEffect,
  type RecordRow,
} from '../../src/repositories/fact-pages.ts';
import { refreshRollups } from '../../src/repositories/rollups.ts';

/** What a sync does with a page: records, their facts and the rollups of the days that they touch. */
export function writeRecords(
  db: Database,
  owner: FactOwner,
  records: readonly RecordRow[],
  removed: readonly string[] = [],
): Promise<PageEffect | null> {
  return db.transaction(async (tx) => {
    const effect = await writeRecordPage(tx, owner, { entity: 'things', records, removed });
    if (effect) await refreshRollups(tx, owner, effect.touched);
    return effect;
  });
}

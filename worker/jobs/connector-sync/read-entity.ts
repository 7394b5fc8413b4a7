import type { PulledPage } from '../../../src/connectors/connector.ts';
import { JobFailure } from '../../../src/domain/errors.ts';
import { readAhead } from '../../../src/lib/read-ahead.ts';
import {
  beginEntity,
  endEntity,
  moveCursor,
  unseenRecords,
  type EntityEnd,
} from '../../../src/repositories/connection-runs.ts';
import { writeRecordPage, type RecordPage } from '../../../src/repositories/fact-pages.ts';
import { refreshRollups } from '../../../src/repositories/rollups.ts';
import type { AttemptTx } from '../../context.ts';
import { tellPanel } from './panels.ts';
import { added, type RunState } from './run-state.ts';
import { titleOf, type SyncRun } from './run.ts';

/** Records that a scan has not met are removed so many at a time. */
const REMOVED_BATCH = 5_000;
/** A cursor that stays where it is although records come: daily figures keep theirs for a day, whatever its zone. */
const STUCK = { runs: 3, ms: 36 * 60 * 60_000 };

interface Reading {
  /** Records of this entity that this attempt has met */
  read: number;
  changed: number;
}

/**
 * Reads what is new of one entity to its end: the next page is fetched while one is written. A page's records, facts,
 * rollups and cursor commit together, or not at all.
 * @throws ProviderError, AttemptLostError or the signal's reason; what was committed until then stays
 */
export async function readEntity(run: SyncRun, entity: string): Promise<void> {
  const { ctx, connection, account, from } = run;
  const { cursor, movedAt } = await begin(run, entity);
  const reading: Reading = { read: 0, changed: 0 };
  const pages = connection.pull(entity, { account, from, after: cursor, signal: ctx.signal });
  for await (const page of readAhead(run.answers.measure(pages))) {
    ctx.signal.throwIfAborted();
    await commitPage(run, entity, page, reading);
    report(run, entity, page, reading);
    if (page.isLast) break;
  }
  if (isComplete(run, entity)) await removeUnseen(run, entity);
  await end(run, entity, { movedAt, isChanged: reading.changed > 0 });
}

const isComplete = ({ connector }: SyncRun, entity: string): boolean =>
  connector.entities[entity]?.scan === 'complete';

function begin(run: SyncRun, entity: string) {
  const { ctx, stored, connector, state } = run;
  return ctx.transaction(async (tx) => {
    const anew = run.anew && !state.begun.includes(entity);
    const feeds = connector.entities[entity]?.feeds ?? null;
    const owner = { organizationId: stored.organizationId, connectionId: stored.id };
    const position = await beginEntity(tx, owner, entity, { feeds, anew });
    if (anew) keep(run, tx, { ...state, begun: [...state.begun, entity] });
    return position;
  });
}

/** The state as it is once the transaction has committed. */
function keep(run: SyncRun, tx: AttemptTx, state: RunState): void {
  tx.checkpoint(state);
  run.state = state;
}

async function commitPage(run: SyncRun, entity: string, page: PulledPage, reading: Reading): Promise<void> {
  const { ctx, stored } = run;
  const before = run.state;
  try {
    const changed = await ctx.transaction(async (tx) => {
      const effect = await write(run, tx, {
        entity,
        records: page.records.map(({ id, data, facts }) => ({ key: id, data, facts })),
        removed: page.removed,
        isScan: isComplete(run, entity),
      });
      await moveCursor(tx, stored.id, entity, page.cursor);
      count(run, tx, page, effect);
      return effect.changed + effect.removed;
    });
    reading.read += page.records.length + page.rejected.length;
    reading.changed += changed;
    if (changed > 0) tellPanel(run, entity);
    for (const note of page.notes) ctx.log.info(`${titleOf(run, entity)}: ${note}`);
  } catch (error) {
    run.state = before;
    throw error;
  }
}

interface Written {
  readonly changed: number;
  readonly unchanged: number;
  readonly removed: number;
}

async function write({ stored }: SyncRun, tx: AttemptTx, page: RecordPage): Promise<Written> {
  const owner = { organizationId: stored.organizationId, connectionId: stored.id };
  const effect = await writeRecordPage(tx, owner, page);
  if (!effect) throw JobFailure.permanent('SOURCE_EXPIRED', 'The connection was disconnected meanwhile.');
  await refreshRollups(tx, owner, effect.touched);
  return effect;
}

function count(run: SyncRun, tx: AttemptTx, { records, rejected }: PulledPage, effect: Written): void {
  const { changed, unchanged, removed } = effect;
  tx.items(rejected.map(({ key, message }) => ({ key, code: 'INVALID_RECORD', message, outcome: 'failed' })));
  tx.count({
    processed: records.length + rejected.length,
    succeeded: records.length,
    failed: rejected.length,
  });
  const more = { pages: 1, changed, unchanged, removed, rejected: rejected.length };
  keep(run, tx, { ...run.state, tally: added(run.state.tally, more) });
}

function report(run: SyncRun, entity: string, { total, isLast }: PulledPage, { read }: Reading): void {
  const { ctx, entities } = run;
  const done = entities.indexOf(entity);
  const share = isLast ? 1 : total === null || total === 0 ? 0 : Math.min(1, read / total);
  const of = total === null ? '' : ` of ${total.toLocaleString('en')}`;
  ctx.progress(
    100 * (done + share),
    100 * entities.length,
    `${titleOf(run, entity)}: ${read.toLocaleString('en')}${of} records`,
  );
}

/** What a scan of everything has not met is gone at the provider. */
async function removeUnseen(run: SyncRun, entity: string): Promise<void> {
  const { ctx, stored } = run;
  for (let gone = REMOVED_BATCH; gone === REMOVED_BATCH;) {
    const before = run.state;
    try {
      gone = await ctx.transaction(async (tx) => {
        const removed = await unseenRecords(tx, stored.id, entity, REMOVED_BATCH);
        if (removed.length === 0) return 0;
        await write(run, tx, { entity, records: [], removed });
        keep(run, tx, { ...run.state, tally: added(run.state.tally, { removed: removed.length }) });
        return removed.length;
      });
    } catch (error) {
      run.state = before;
      throw error;
    }
  }
}

async function end(run: SyncRun, entity: string, position: Omit<EntityEnd, 'since'>): Promise<void> {
  const { ctx, stored } = run;
  const done = { ...run.state, done: [...run.state.done, entity] };
  await ctx.transaction(async (tx) => {
    const stuckRuns = await endEntity(tx, stored.id, entity, { since: new Date(done.since), ...position });
    const isLong = ctx.now().getTime() - position.movedAt.getTime() > STUCK.ms;
    if (stuckRuns >= STUCK.runs && isLong) {
      const message = `${titleOf(run, entity)}: its cursor has not moved for ${stuckRuns} syncs, although records came.`;
      tx.items([{ key: entity, code: 'CURSOR_STUCK', message, outcome: 'warned' }]);
      tx.count({ warned: 1 });
    }
    tx.checkpoint(done);
  });
  run.state = done;
  tellPanel(run, entity);
}

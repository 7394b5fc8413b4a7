import type { Fact } from '../domain/facts.ts';
import { canonicalHash, storableJson } from '../lib/canonical-json.ts';
import type { Tx } from './db.ts';
import { TouchedDays } from './touched-days.ts';

/** A connection in its organization, whose zone decides on which day something happened. */
export interface FactOwner {
  readonly organizationId: string;
  readonly connectionId: string;
  /** IANA name */
  readonly timeZone: string;
}

export interface RecordRow {
  readonly key: string;
  /** JSON */
  readonly data: unknown;
  readonly facts: readonly Fact[];
}

/** Records of one entity as they are now. */
export interface RecordPage {
  readonly entity: string;
  /** One that comes twice counts as it comes last */
  readonly records: readonly RecordRow[];
  /** Keys of records that are gone */
  readonly removed: readonly string[];
}

export interface PageEffect {
  readonly changed: number;
  readonly unchanged: number;
  readonly removed: number;
  /** Days whose rollups are to be made anew */
  readonly touched: TouchedDays;
}

/**
 * Writes records and what they say. What is there already, to the letter, is left alone: the same page again touches
 * nothing. @returns null when the connection is gone, or disconnected
 */
export async function writeRecordPage(
  tx: Tx,
  owner: FactOwner,
  page: RecordPage,
): Promise<PageEffect | null> {
  if (!(await lockConnection(tx, owner))) return null;
  const rows = [...new Map(page.records.map((row) => [row.key, row])).values()];
  const changedKeys = await upsertRecords(tx, owner, page.entity, rows);
  const changed = rows.filter(({ key }) => changedKeys.has(key));
  const removed = await deleteRecords(tx, owner, page.entity, page.removed);
  const touched = new TouchedDays();
  const facts = factRows(changed);
  touched.add(await deleteFacts(tx, owner, page.entity, [...changedKeys, ...page.removed], facts));
  touched.add(await insertFacts(tx, owner, page.entity, facts));
  return { changed: changed.length, unchanged: rows.length - changed.length, removed, touched };
}

/** Pages of one connection are written one after the other, and none once it is disconnected. */
async function lockConnection(tx: Tx, { organizationId, connectionId }: FactOwner): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT 1 FROM connections WHERE organization_id = $1 AND id = $2 AND disconnected_at IS NULL FOR NO KEY UPDATE`,
    [organizationId, connectionId],
  );
  return rowCount === 1;
}

/** @returns the keys of those that are new, or another than before */
async function upsertRecords(
  tx: Tx,
  { organizationId, connectionId }: FactOwner,
  entity: string,
  rows: readonly RecordRow[],
): Promise<ReadonlySet<string>> {
  const given = rows.map(({ key, data, facts }) => ({
    key,
    data,
    hash: canonicalHash([data, facts]).toString('hex'),
  }));
  const { rows: changed } = await tx.query<{ key: string }>(
    `INSERT INTO source_records (organization_id, connection_id, entity, record_key, data, hash)
     SELECT $1, $2, $3, key, data, decode(hash, 'hex')
     FROM jsonb_to_recordset($4::jsonb) AS given (key text, data jsonb, hash text)
     ON CONFLICT (connection_id, entity, record_key) DO UPDATE
     SET data = excluded.data, hash = excluded.hash, seen_at = now()
     WHERE source_records.hash <> excluded.hash
     RETURNING record_key AS key`,
    [organizationId, connectionId, entity, storableJson(given)],
  );
  return new Set(changed.map(({ key }) => key));
}

async function deleteRecords(
  tx: Tx,
  { connectionId }: FactOwner,
  entity: string,
  keys: readonly string[],
): Promise<number> {
  if (keys.length === 0) return 0;
  const { rowCount } = await tx.query(
    'DELETE FROM source_records WHERE connection_id = $1 AND entity = $2 AND record_key = ANY($3)',
    [connectionId, entity, keys],
  );
  return rowCount ?? 0;
}

interface FactRow {
  readonly record: string;
  readonly type: string;
  readonly key: string;
  /** The provider's own day; null: the day of `at` */
  readonly day: string | null;
  readonly at: Date | null;
  readonly endAt: Date | null;
  readonly data: object;
}

/** By type and key, as the last record says. */
function factRows(records: readonly RecordRow[]): FactRow[] {
  const rows = records.flatMap(({ key, facts }) => facts.map((fact) => rowOf(key, fact)));
  return [...new Map(rows.map((row) => [`${row.type} ${row.key}`, row])).values()];
}

function rowOf(record: string, { type, key, ...rest }: Fact): FactRow {
  const none = { day: null, at: null, endAt: null };
  if ('day' in rest) {
    const { day, ...data } = rest;
    return { ...none, record, type, key, day, data };
  }
  if ('openedAt' in rest) {
    const { openedAt, solvedAt, ...data } = rest;
    return { ...none, record, type, key, at: openedAt, endAt: solvedAt, data };
  }
  const { at, ...data } = rest;
  return { ...none, record, type, key, at, data };
}

interface DayRow {
  readonly type: Fact['type'];
  readonly day: string;
  readonly endDay: string | null;
}

const DAYS = `type, to_char(day, 'YYYY-MM-DD') AS day, to_char(end_day, 'YYYY-MM-DD') AS "endDay"`;

/** Those of the records, and those whose place others take. */
async function deleteFacts(
  tx: Tx,
  { connectionId }: FactOwner,
  entity: string,
  records: readonly string[],
  successors: readonly FactRow[],
): Promise<DayRow[]> {
  if (records.length === 0) return [];
  const { rows: own } = await tx.query<DayRow>(
    `DELETE FROM facts WHERE connection_id = $1 AND entity = $2 AND record_key = ANY($3) RETURNING ${DAYS}`,
    [connectionId, entity, records],
  );
  const { rows: others } = await tx.query<DayRow>(
    `DELETE FROM facts USING unnest($2::fact_type[], $3::text[]) AS successor (of_type, key)
     WHERE connection_id = $1 AND type = successor.of_type AND fact_key = successor.key RETURNING ${DAYS}`,
    [connectionId, successors.map(({ type }) => type), successors.map(({ key }) => key)],
  );
  return [...own, ...others];
}

async function insertFacts(
  tx: Tx,
  { organizationId, connectionId, timeZone }: FactOwner,
  entity: string,
  facts: readonly FactRow[],
): Promise<DayRow[]> {
  if (facts.length === 0) return [];
  const { rows } = await tx.query<DayRow>(
    `INSERT INTO facts (organization_id, connection_id, entity, record_key, type, fact_key, day, end_day, at, end_at, data)
     SELECT $1, $2, $3, record, type, key, coalesce(day, (at AT TIME ZONE $4)::date), ("endAt" AT TIME ZONE $4)::date,
            at, "endAt", data
     FROM jsonb_to_recordset($5::jsonb) AS given
       (record text, type fact_type, key text, day date, at timestamptz, "endAt" timestamptz, data jsonb)
     RETURNING ${DAYS}`,
    [organizationId, connectionId, entity, timeZone, storableJson(facts)],
  );
  return rows;
}

import { createHash } from 'node:crypto';
import type { Fact } from '../domain/facts.ts';
import { storableJson } from '../lib/canonical-json.ts';
import type { Tx } from './db.ts';
import { TouchedDays } from './touched-days.ts';

/** A connection in its organization. */
export interface FactOwner {
  readonly organizationId: string;
  readonly connectionId: string;
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
  /** Part of a scan that lists everything: what it meets is noted, changed or not */
  readonly isScan?: boolean;
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
  const timeZone = await lockConnection(tx, owner);
  if (timeZone === null) return null;
  const rows = [...new Map(page.records.map((row) => [row.key, row])).values()];
  const written = await upsertRecords(tx, owner, page.entity, rows);
  const changed = rows.filter(({ key }) => written.has(key));
  const known = changed.filter(({ key }) => written.get(key) === 'changed').map(({ key }) => key);
  if (page.isScan) await noteSeen(tx, owner, page.entity, rows);
  const removed = await deleteRecords(tx, owner, page.entity, page.removed);
  const touched = new TouchedDays();
  const facts = factRows(changed);
  touched.add(await deleteFacts(tx, owner, page.entity, [...known, ...page.removed]));
  touched.add(await insertFacts(tx, { ...owner, timeZone }, page.entity, facts));
  return { changed: changed.length, unchanged: rows.length - changed.length, removed, touched };
}

/**
 * Pages of one connection are written one after the other, and none once it is disconnected. The organization's zone,
 * which decides on which day something happened, cannot change meanwhile: whoever changes it finds all that was
 * bucketed by the old one. @returns its IANA name; null when the connection is gone
 */
export async function lockConnection(
  tx: Tx,
  { organizationId, connectionId }: FactOwner,
): Promise<string | null> {
  const { rows } = await tx.query<{ timeZone: string }>(
    `SELECT o.time_zone AS "timeZone" FROM connections AS c JOIN organizations AS o ON o.id = c.organization_id
     WHERE c.organization_id = $1 AND c.id = $2 AND c.disconnected_at IS NULL
     FOR NO KEY UPDATE OF c FOR SHARE OF o`,
    [organizationId, connectionId],
  );
  return rows[0]?.timeZone ?? null;
}

async function noteSeen(
  tx: Tx,
  { connectionId }: FactOwner,
  entity: string,
  rows: readonly RecordRow[],
): Promise<void> {
  await tx.query(
    `UPDATE source_records SET seen_at = now() WHERE connection_id = $1 AND entity = $2 AND record_key = ANY($3)
       AND seen_at < now()`,
    [connectionId, entity, rows.map(({ key }) => key)],
  );
}

/** @returns the keys of those that are new, or another than before, and which of both */
async function upsertRecords(
  tx: Tx,
  { organizationId, connectionId }: FactOwner,
  entity: string,
  rows: readonly RecordRow[],
): Promise<ReadonlyMap<string, 'new' | 'changed'>> {
  const given = rows.map(({ key, data, facts }) => ({
    key,
    data,
    hash: createHash('sha256')
      .update(JSON.stringify([data, facts]))
      .digest('hex'),
  }));
  const { rows: written } = await tx.query<{ key: string; isNew: boolean }>(
    `INSERT INTO source_records (organization_id, connection_id, entity, record_key, data, hash)
     SELECT $1, $2, $3, key, data, decode(hash, 'hex')
     FROM jsonb_to_recordset($4::jsonb) AS given (key text, data jsonb, hash text)
     ON CONFLICT (connection_id, entity, record_key) DO UPDATE
     SET data = excluded.data, hash = excluded.hash, seen_at = now()
     WHERE source_records.hash <> excluded.hash
     RETURNING record_key AS key, xmax = 0 AS "isNew"`,
    [organizationId, connectionId, entity, storableJson(given)],
  );
  return new Map(written.map(({ key, isNew }) => [key, isNew ? 'new' : 'changed']));
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

/** Those of the records. */
async function deleteFacts(
  tx: Tx,
  { connectionId }: FactOwner,
  entity: string,
  records: readonly string[],
): Promise<DayRow[]> {
  if (records.length === 0) return [];
  const { rows } = await tx.query<DayRow>(
    `DELETE FROM facts WHERE connection_id = $1 AND ctid = ANY (ARRAY(
       SELECT own.ctid FROM unnest($3::text[]) AS record (key) CROSS JOIN LATERAL (
         SELECT ctid FROM facts WHERE connection_id = $1 AND entity = $2 AND record_key = record.key OFFSET 0) AS own))
     RETURNING ${DAYS}`,
    [connectionId, entity, records],
  );
  return rows;
}

/** Those whose place others take. */
async function deleteReplaced(
  tx: Tx,
  { connectionId }: FactOwner,
  facts: readonly FactRow[],
): Promise<DayRow[]> {
  const { rows } = await tx.query<DayRow>(
    `DELETE FROM facts WHERE connection_id = $1 AND ctid = ANY (ARRAY(
       SELECT other.ctid FROM unnest($2::fact_type[], $3::text[]) AS successor (type, key) CROSS JOIN LATERAL (
         SELECT ctid FROM facts WHERE connection_id = $1 AND facts.type = successor.type AND fact_key = successor.key OFFSET 0)
         AS other))
     RETURNING ${DAYS}`,
    [connectionId, facts.map(({ type }) => type), facts.map(({ key }) => key)],
  );
  return rows;
}

type ZonedOwner = FactOwner & { readonly timeZone: string };

/** One whose place is another record's takes it. */
async function insertFacts(
  tx: Tx,
  owner: ZonedOwner,
  entity: string,
  facts: readonly FactRow[],
): Promise<DayRow[]> {
  if (facts.length === 0) return [];
  const inserted = await insertNewFacts(tx, owner, entity, facts);
  if (inserted.length === facts.length) return inserted;
  const known = new Set(inserted.map(({ type, key }) => `${type} ${key}`));
  const rest = facts.filter(({ type, key }) => !known.has(`${type} ${key}`));
  const replaced = await deleteReplaced(tx, owner, rest);
  return [...inserted, ...replaced, ...(await insertNewFacts(tx, owner, entity, rest))];
}

async function insertNewFacts(
  tx: Tx,
  { organizationId, connectionId, timeZone }: ZonedOwner,
  entity: string,
  facts: readonly FactRow[],
): Promise<(DayRow & { readonly key: string })[]> {
  const { rows } = await tx.query<DayRow & { readonly key: string }>(
    `INSERT INTO facts (organization_id, connection_id, entity, record_key, type, fact_key, day, end_day, at, end_at, data)
     SELECT $1, $2, $3, record, type, key, coalesce(day, (at AT TIME ZONE $4)::date), ("endAt" AT TIME ZONE $4)::date,
            at, "endAt", data
     FROM jsonb_to_recordset($5::jsonb) AS given
       (record text, type fact_type, key text, day date, at timestamptz, "endAt" timestamptz, data jsonb)
     ON CONFLICT DO NOTHING
     RETURNING fact_key AS key, ${DAYS}`,
    [organizationId, connectionId, entity, timeZone, storableJson(facts)],
  );
  return rows;
}

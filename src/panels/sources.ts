import type { PanelKey } from '../domain/panel.ts';
import type { RevenueSources } from '../domain/revenue-sources.ts';
import type { Sql } from '../repositories/db.ts';
import { panelSources, type PanelSourceRow } from '../repositories/panel-sources.ts';
import type { PanelFailure, SourceReport } from './reading.ts';
import { standingOf } from './state.ts';

/** What is connected for one panel. */
export interface PanelSources {
  readonly reports: readonly SourceReport[];
  /** Uuids of the connections whose figures make up the panel's */
  readonly counted: readonly string[];
  /** Uuid of the job that is filling the panel now */
  readonly refreshJobId: string | null;
}

/** The accounts behind a panel, each once, and which of them count. */
export async function sourcesOf(
  sql: Sql,
  organizationId: string,
  panel: PanelKey,
  now: Date,
): Promise<PanelSources> {
  return toSources(await panelSources(sql, organizationId, panel), now);
}

/** @param rows those of one panel. An account with several entities for it is one source. */
export function toSources(rows: readonly PanelSourceRow[], now: Date): PanelSources {
  const countedRows = rows.filter(countsAmong(rows));
  const counted = new Set(countedRows.map(({ connectionId }) => connectionId));
  const live = countedRows.find(({ liveJobId }) => liveJobId !== null);
  return {
    reports: accountsOf(rows).map((entities) => accountReport(entities, counted, now)),
    counted: [...counted],
    refreshJobId: live?.liveJobId ?? null,
  };
}

const COUNTING: Readonly<Record<Exclude<RevenueSources, 'auto'>, (row: PanelSourceRow) => boolean>> = {
  shops: ({ feed }) => feed !== 'payments',
  payments: ({ feed }) => feed === 'payments',
  all: () => true,
};

/** Whether a row's figures count beside the others: a shop and its payments tell of the same sales. */
function countsAmong(rows: readonly PanelSourceRow[]): (row: PanelSourceRow) => boolean {
  const hasShop = rows.some(({ feed }) => feed === 'revenue');
  return (row) => {
    if (row.feed !== 'revenue' && row.feed !== 'payments') return true;
    const choice = row.revenueSources === 'auto' ? (hasShop ? 'shops' : 'all') : row.revenueSources;
    return COUNTING[choice](row);
  };
}

function accountsOf(rows: readonly PanelSourceRow[]): PanelSourceRow[][] {
  const accounts = new Map<string, PanelSourceRow[]>();
  for (const row of rows) accounts.set(row.connectionId, [...(accounts.get(row.connectionId) ?? []), row]);
  return [...accounts.values()];
}

/** An account stands to its entities as a panel to its sources: what one of them has is shown, as old as the oldest. */
function accountReport(
  entities: readonly PanelSourceRow[],
  countedIds: ReadonlySet<string>,
  now: Date,
): SourceReport {
  const [first] = entities;
  const named = {
    label: labelOf(first),
    counted: first !== undefined && countedIds.has(first.connectionId),
  };
  const { state, asOf, failure } = standingOf(entities.map((row) => entityReport(row, now)));
  if (asOf)
    return state === 'READY' ? { ...named, state, asOf } : { ...named, state: 'STALE', asOf, failure };
  return failure ? { ...named, state: 'FAILED', failure } : { ...named, state: 'LOADING' };
}

function labelOf(row: PanelSourceRow | undefined): string {
  if (!row) return 'Unknown';
  return row.label === '' ? row.provider : row.label;
}

function entityReport(row: PanelSourceRow, now: Date): SourceReport {
  const named = { label: labelOf(row), counted: true };
  const failure = failureOf(row);
  const { syncedAt: asOf } = row;
  if (!asOf) return failure ? { ...named, state: 'FAILED', failure } : { ...named, state: 'LOADING' };
  const isOld = now.getTime() - asOf.getTime() > 2_000 * row.syncEverySeconds;
  return failure || isOld ? { ...named, state: 'STALE', asOf, failure } : { ...named, state: 'READY', asOf };
}

const REFUSALS: readonly string[] = ['PROVIDER_AUTH', 'PROVIDER_FORBIDDEN'];

function failureOf(row: PanelSourceRow): PanelFailure | null {
  const { failureCode, failureMessage, refusedAt, retryAt } = row;
  if (refusedAt || (failureCode !== null && REFUSALS.includes(failureCode))) {
    const message = failureMessage ?? 'The account refuses the credentials: connect it again.';
    return { code: 'SOURCE_AUTH', message, retryAt };
  }
  if (failureCode === null) return null;
  return { code: 'SOURCE_FAILED', message: failureMessage ?? 'The account could not be read.', retryAt };
}

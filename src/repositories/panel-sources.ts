import { FEEDS, panelOf, type Feed, type PanelKey } from '../domain/panel.ts';
import type { RevenueSources } from '../domain/revenue-sources.ts';
import type { Sql } from './db.ts';
import { LIVE_SQL } from './job-moves.ts';
import { prepared } from './prepared.ts';

/** One entity of a connected account that feeds a panel, and how its latest sync went. */
export interface PanelSourceRow {
  readonly connectionId: string;
  /** The account, for people */
  readonly label: string;
  readonly provider: string;
  readonly entity: string;
  readonly feed: Feed;
  readonly syncEverySeconds: number;
  /** What its figures are true for; null: never read to its end */
  readonly syncedAt: Date | null;
  /** As codes of jobs; null when nothing went wrong with its latest run */
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly failedAt: Date | null;
  /** When it is read again by itself; null: not by itself */
  readonly retryAt: Date | null;
  /** Since when its credentials are refused */
  readonly refusedAt: Date | null;
  readonly pausedAt: Date | null;
  /** The live job that syncs the account or, where none does, that fills the panel */
  readonly liveJobId: string | null;
  /** The organization's choice */
  readonly revenueSources: RevenueSources;
}

const liveJob = (kind: string, uniqueKey: string): string => `
  (SELECT id FROM jobs WHERE organization_id = $1 AND kind = ${kind} AND unique_key = ${uniqueKey} AND status IN ${LIVE_SQL})`;

const SOURCES = prepared(
  'panel sources',
  `SELECT c.id AS "connectionId", c.label, c.provider, e.entity, e.feeds AS feed, c.sync_every_seconds AS "syncEverySeconds",
          e.synced_at AS "syncedAt", coalesce(e.failure_code, refusal.code) AS "failureCode",
          coalesce(nullif(e.failure_message, ''), nullif(refusal.message, '')) AS "failureMessage", coalesce(e.failed_at, refusal.at) AS "failedAt",
          c.next_sync_at AS "retryAt", c.refused_at AS "refusedAt", c.paused_at AS "pausedAt",
          coalesce(${liveJob("'connector_sync'", 'c.id::text')}, ${liveJob("wanted.panel || '_aggregation'", 'wanted.panel')})
            AS "liveJobId",
          (SELECT revenue_sources FROM organizations WHERE id = $1) AS "revenueSources"
   FROM connections c
   -- What stopped the account as a whole stopped each of its entities.
   LEFT JOIN LATERAL (
     SELECT c.failure_code AS code, c.failure_message AS message, c.failed_at AS at WHERE c.refused_at IS NOT NULL
   ) AS refusal ON true
   JOIN connection_cursors e ON e.connection_id = c.id
   JOIN unnest($2::text[], $3::text[]) AS wanted (feed, panel) ON wanted.feed = e.feeds
   WHERE c.organization_id = $1 AND c.disconnected_at IS NULL
   ORDER BY c.id, e.entity`,
);

/** The entities that feed these panels, account by account, the oldest first; those of disconnected accounts are none. */
export async function panelSources(
  sql: Sql,
  organizationId: string,
  panels: PanelKey | readonly PanelKey[],
): Promise<PanelSourceRow[]> {
  const feeds = FEEDS.filter((feed) => panels.includes(panelOf(feed)));
  const { rows } = await sql.query<PanelSourceRow>(SOURCES, [organizationId, feeds, feeds.map(panelOf)]);
  return rows;
}

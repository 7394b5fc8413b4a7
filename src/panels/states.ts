import { panelOf, type PanelKey } from '../domain/panel.ts';
import type { Sql } from '../repositories/db.ts';
import { panelSources } from '../repositories/panel-sources.ts';
import type { PanelState } from './reading.ts';
import { toSources } from './sources.ts';
import { standingOf } from './state.ts';

/** How panels stand by their sources alone, all by one statement and without their figures. */
export async function statesOf(
  sql: Sql,
  organizationId: string,
  panels: readonly PanelKey[],
  now: Date,
): Promise<ReadonlyMap<PanelKey, PanelState>> {
  const rows = await panelSources(sql, organizationId, panels);
  return new Map(
    panels.map((panel) => {
      const own = rows.filter(({ feed }) => panelOf(feed) === panel);
      return [panel, standingOf(toSources(own, now).reports).state];
    }),
  );
}

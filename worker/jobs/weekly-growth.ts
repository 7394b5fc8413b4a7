import { GROWTH_METRICS, GROWTH_PANELS } from '../../src/domain/growth.ts';
import { PANEL_KEYS, panelOf, type PanelKey } from '../../src/domain/panel.ts';
import { dateIn } from '../../src/domain/period.ts';
import type { weeklyGrowth } from '../../src/jobs/weekly-growth.ts';
import { toSources, type PanelSources } from '../../src/panels/sources.ts';
import { readGrowth } from '../../src/repositories/growth.ts';
import { panelSources } from '../../src/repositories/panel-sources.ts';
import { compareWeeks, weeksUntil } from '../../src/services/growth/compare-weeks.ts';
import type { Handler } from '../context.ts';

/** Adds up the panels' rollups by weeks, as they are on the day of the run. */
export const measureGrowth: Handler<typeof weeklyGrowth> = async (ctx, input) => {
  const { id: organizationId, timeZone, currency } = ctx.organization;
  const now = ctx.now();
  const weeks = weeksUntil(dateIn(timeZone, now), input.weeks);
  const rows = await panelSources(ctx.db, organizationId, PANEL_KEYS);
  const ofPanel = (panel: PanelKey): PanelSources =>
    toSources(
      rows.filter(({ feed }) => panelOf(feed) === panel),
      now,
    );
  const connected = (panel: PanelKey): readonly string[] => ofPanel(panel).counted;
  const figures = await readGrowth(ctx.db, {
    organizationId,
    connections: {
      revenue: connected('revenue'),
      traffic: connected('traffic'),
      ads: connected('ads'),
      social: connected('social'),
      email: connected('email'),
      support: connected('support'),
    },
    metrics: GROWTH_METRICS.filter((metric) => isFilled(ofPanel(GROWTH_PANELS[metric]))),
    currency,
    ...weeks,
  });
  return { from: weeks.from, today: weeks.today, metrics: compareWeeks(weeks, figures) };
};

/** Before its first sync an account has nothing to tell, not even a zero. */
function isFilled({ reports }: PanelSources): boolean {
  return reports.some((report) => report.counted && 'asOf' in report);
}

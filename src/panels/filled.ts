import type { PanelKey } from '../domain/panel.ts';
import type { Period } from '../domain/period.ts';
import type { PanelScope } from '../repositories/panel-scope.ts';
import type { PanelContext, PanelLoad } from './panel.ts';
import { toSources } from './sources.ts';

/** Reads a panel's figures from the rollups; called once one of its sources is filled. */
type Figures<Values> = (ctx: PanelContext, scope: PanelScope) => Promise<Values>;

/** The loader of a panel whose figures syncs and aggregations put into rollups: one statement for them. */
export function fromRollups<Values>(
  key: PanelKey,
  figures: Figures<Values>,
): (ctx: PanelContext, period: Period) => Promise<PanelLoad<Values>> {
  return async (ctx, period) => {
    const { organization, sources, now } = ctx;
    const rows = await sources.read(organization.id, key);
    const { reports, counted, refreshJobId } = toSources(rows, now());
    const isFilled = reports.some((report) => report.counted && 'asOf' in report);
    const scope = { organizationId: organization.id, connectionIds: counted, ...period };
    return { sources: reports, refreshJobId, values: isFilled ? await figures(ctx, scope) : null };
  };
}

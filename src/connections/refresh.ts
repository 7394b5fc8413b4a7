import type { UserError } from '../domain/errors.ts';
import { feedsOf, PANEL_KEYS, type PanelKey } from '../domain/panel.ts';
import { startJob } from '../queue/start.ts';
import type { JobDeps } from '../queue/deps.ts';
import { fedPanels } from '../repositories/connection-lists.ts';

interface RefreshRequest {
  readonly organizationId: string;
  readonly triggeredBy: string;
  /** Null: all that have a source */
  readonly panels: readonly PanelKey[] | null;
}

interface Refreshed {
  /** Of each panel that is being filled now, in the order of the request */
  readonly jobIds: readonly string[];
  /** A panel that was asked for and has no source */
  readonly errors: readonly UserError[];
}

/** Starts what fills panels; one that is being filled already gives the job that does. */
export async function refreshPanels(
  deps: JobDeps,
  { organizationId, triggeredBy, panels }: RefreshRequest,
): Promise<Refreshed> {
  const feeds = await fedPanels(deps.db, organizationId);
  const fed = new Set(PANEL_KEYS.filter((panel) => feedsOf(panel).some((feed) => feeds.includes(feed))));
  const asked = panels === null ? [...fed] : [...new Set(panels)];
  const started = await Promise.all(
    asked
      .filter((panel) => fed.has(panel))
      .map((panel) => start(deps, { organizationId, triggeredBy }, panel)),
  );
  return {
    jobIds: started,
    errors: (panels ?? []).flatMap((panel, at) => (fed.has(panel) ? [] : [notConnected(panel, at)])),
  };
}

async function start(
  deps: JobDeps,
  whose: Pick<RefreshRequest, 'organizationId' | 'triggeredBy'>,
  panel: PanelKey,
): Promise<string> {
  const { jobId } = await startJob(deps, { ...whose, kind: `${panel}_aggregation`, input: {} });
  return jobId;
}

function notConnected(panel: PanelKey, at: number): UserError {
  const message = `Nothing is connected that fills the ${panel} panel.`;
  return { code: 'NOT_CONNECTED', field: ['keys', String(at)], message };
}

import type { CallOptions, Execute, StreamOptions, SubscribeTyped } from './client.ts';
import { throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';
import type { Job } from './jobs.ts';
import { resumed } from './resume.ts';

export type DashboardChange = operations.DashboardChangedSubscription['dashboardChanged'];

/** A dashboard that is kept fresh. */
export interface LiveDashboard {
  /** Which panel to fetch again, as it happens. Goes on after a broken link: then fetch all of them again. */
  changes(options?: StreamOptions): AsyncIterable<DashboardChange>;
  /** Fills these panels, by default all that have a source. @returns the jobs that do. @throws MillraceUserError */
  refresh(keys?: operations.PanelKey[], options?: CallOptions): Promise<readonly Job[]>;
}

export function createLiveDashboard(
  execute: Execute,
  subscribe: SubscribeTyped,
  asksForToken: boolean,
): LiveDashboard {
  return {
    changes: (options = {}) =>
      resumed(() => changes(subscribe, options), { signal: options.signal, asksForToken }),
    async refresh(keys, options) {
      const answer = await execute(operations.RefreshPanelsDocument, { keys: keys ?? null }, options);
      throwUserErrors(answer.refreshPanels);
      return answer.refreshPanels.jobs;
    },
  };
}

async function* changes(
  subscribe: SubscribeTyped,
  options: StreamOptions,
): AsyncGenerator<DashboardChange, void> {
  for await (const { dashboardChanged } of subscribe(operations.DashboardChangedDocument, {}, options))
    yield dashboardChanged;
}

import { panelOf } from '../../../src/domain/panel.ts';
import type { SyncRun } from './run.ts';

/** Whoever watches the dashboard hears that an entity's panel is another than before. */
export function tellPanel({ ctx, stored, connector }: SyncRun, entity: string): void {
  const feeds = connector.entities[entity]?.feeds;
  if (feeds) ctx.jobs.bus.publish('panelChange', stored.organizationId, { panel: panelOf(feeds) });
}

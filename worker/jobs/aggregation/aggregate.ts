import { z } from 'zod';
import { feedsOf, type PanelKey } from '../../../src/domain/panel.ts';
import { addDays } from '../../../src/domain/period.ts';
import { FACTS_OF } from '../../../src/domain/panel-facts.ts';
import { connectorSync } from '../../../src/jobs/connector-sync.ts';
import type { aggregation } from '../../../src/jobs/aggregation.ts';
import { connectionsFeeding } from '../../../src/repositories/connection-lists.ts';
import { factSpan, rebuildRollups } from '../../../src/repositories/rollup-rebuilds.ts';
import type { AttemptTx, JobContext } from '../../context.ts';

type Aggregation = (
  ctx: JobContext,
  input: z.infer<typeof aggregation.input>,
) => Promise<z.infer<typeof aggregation.output>>;

/** Days of one transaction. */
const SPAN_DAYS = 31;

/** Reads a panel's accounts and makes its rollups anew; see `src/jobs/aggregation.ts`. */
export function aggregate(panel: PanelKey): Aggregation {
  return async (ctx, { sync }) => {
    if (sync) await ctx.step('syncs', z.int(), (tx) => startSyncs(ctx, tx, panel));
    const syncs = (await ctx.children('warn')).length;
    let days = 0;
    const connections = await connectionsFeeding(ctx.db, ctx.organization.id, feedsOf(panel));
    for (const [index, { id }] of connections.entries()) {
      days += await rebuild(ctx, panel, id);
      ctx.progress(index + 1, connections.length, `${index + 1} of ${connections.length} accounts`);
    }
    ctx.jobs.bus.publish('panelChange', ctx.organization.id, { panel });
    return { syncs, days };
  };
}

/** An account that is being read already needs no second reader; one that is paused or refused is passed by. */
async function startSyncs(ctx: JobContext, tx: AttemptTx, panel: PanelKey): Promise<number> {
  const connections = await connectionsFeeding(tx, ctx.organization.id, feedsOf(panel));
  const readable = connections.filter(({ isReadable }) => isReadable);
  await tx.enqueueAll(
    connectorSync,
    readable.map(({ id }) => ({ connectionId: id })),
  );
  return readable.length;
}

async function rebuild(ctx: JobContext, panel: PanelKey, connectionId: string): Promise<number> {
  const types = FACTS_OF[panel];
  const span = await factSpan(ctx.db, connectionId, types);
  if (!span) return 0;
  const owner = { organizationId: ctx.organization.id, connectionId };
  let days = 0;
  for (let from = span.from; from <= span.to; from = addDays(from, SPAN_DAYS)) {
    const last = addDays(from, SPAN_DAYS - 1);
    const part = { from, to: last < span.to ? last : span.to };
    const isThere = await ctx.transaction((tx) => rebuildRollups(tx, owner, types, part));
    if (!isThere) break;
    days += Math.round((Date.parse(part.to) - Date.parse(part.from)) / 86_400_000) + 1;
  }
  return days;
}

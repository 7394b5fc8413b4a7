import { addDays, countDays } from '../../src/domain/period.ts';
import type { agentAggregation } from '../../src/jobs/agent-aggregation.ts';
import {
  agentSpan,
  dropStrayAgentDays,
  lockAgents,
  rebuildAgentDays,
  type AgentSpan,
} from '../../src/repositories/agent-days.ts';
import type { Handler, JobContext } from '../context.ts';

/** Days of one transaction: runs are told meanwhile, and wait for no longer than one of these takes. */
const SPAN_DAYS = 31;

/** Makes the days of agents anew; see `src/jobs/agent-aggregation.ts`. */
export const aggregateAgents: Handler<typeof agentAggregation> = async (ctx) => {
  const span = await begin(ctx);
  let [days, moved] = [0, 0];
  if (!span) return { days, moved };
  const total = countDays(span);
  for (let from = span.from; from <= span.to; from = addDays(from, SPAN_DAYS)) {
    const last = addDays(from, SPAN_DAYS - 1);
    const part = { from, to: last < span.to ? last : span.to };
    moved += await ctx.transaction(async (tx) => {
      await lockAgents(tx, ctx.organization.id);
      return rebuildAgentDays(tx, ctx.organization.id, part);
    });
    days += countDays(part);
    ctx.progress(days, total, `${days} of ${total} days`);
  }
  return { days, moved };
};

/** The days of all runs; whatever the rollup holds beside them goes. */
function begin(ctx: JobContext): Promise<AgentSpan | null> {
  return ctx.transaction(async (tx) => {
    await lockAgents(tx, ctx.organization.id);
    const span = await agentSpan(tx, ctx.organization.id);
    await dropStrayAgentDays(tx, ctx.organization.id, span);
    return span;
  });
}

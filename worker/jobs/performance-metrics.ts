import { resolvePeriod } from '../../src/domain/period.ts';
import { storedKinds } from '../../src/jobs/define.ts';
import type { performanceMetrics } from '../../src/jobs/performance-metrics.ts';
import { providerFigures } from '../../src/repositories/performance.ts';
import { readPipelineDays } from '../../src/repositories/pipeline-days.ts';
import { measure } from '../../src/services/performance/measure.ts';
import type { Handler } from '../context.ts';

/** Adds up the rollups of the period, as it is on the day of the run. */
export const measurePerformance: Handler<typeof performanceMetrics> = async (ctx, { period: wanted }) => {
  const { id: organizationId, timeZone } = ctx.organization;
  const period = resolvePeriod(wanted, { timeZone, now: ctx.now() });
  const [kinds, providers] = await Promise.all([
    readPipelineDays(ctx.db, {
      organizationId,
      kinds: storedKinds(ctx.jobs.catalogue),
      period,
      before: period,
      timeZone,
    }),
    providerFigures(ctx.db, organizationId, period),
  ]);
  const named = kinds.map((each) => ({ ...each, kind: each.kind.toUpperCase() }));
  return { ...period, ...measure(named, providers) };
};

import { performanceMetrics } from '../../jobs/performance-metrics.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { askJobPanel, jobPanelType } from './job-panel.ts';
import { resultTypeOf } from './job-result.ts';
import { PeriodInput } from './period-input.ts';

const PerformanceMetrics = jobPanelType(
  'PerformanceMetrics',
  resultTypeOf('performance_metrics'),
  "How fast and how well the organization's jobs and syncs ran, made by a PERFORMANCE_METRICS job.",
);

const HOUR = 3_600;

builder.queryField('performanceMetrics', (t) =>
  t.field({
    extensions: needs('read'),
    type: PerformanceMetrics,
    description:
      'The last measurement of a period, and the job that makes a fresh one: started by the ask, if there is none fresh enough and none under way, for who has RUN_JOBS',
    args: {
      period: t.arg({ type: PeriodInput, description: 'Days to measure; default: 30 days, today included' }),
      maxAgeSeconds: t.arg.int({
        defaultValue: HOUR,
        description: 'A measurement of this day that is not older is fresh; 0 to 31,622,400',
      }),
    },
    resolve: (_root, { period, maxAgeSeconds }, ctx) =>
      askJobPanel(ctx, {
        contract: performanceMetrics,
        input: period ? { period } : {},
        maxAgeSeconds: maxAgeSeconds ?? HOUR,
      }),
  }),
);

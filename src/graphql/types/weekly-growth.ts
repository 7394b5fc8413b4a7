import { weeklyGrowth } from '../../jobs/weekly-growth.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { askJobPanel, jobPanelType } from './job-panel.ts';
import { resultTypeOf } from './job-result.ts';

const WeeklyGrowth = jobPanelType(
  'WeeklyGrowth',
  resultTypeOf('weekly_growth'),
  'How the figures of the panels change from week to week, made by a WEEKLY_GROWTH job.',
);

const HOUR = 3_600;
const WEEKS = 12;

builder.queryField('weeklyGrowth', (t) =>
  t.field({
    extensions: needs('read'),
    type: WeeklyGrowth,
    description:
      'The last comparison of so many weeks, and the job that makes a fresh one: started by the ask, if there is none fresh enough and none under way, for who has RUN_JOBS',
    args: {
      weeks: t.arg.int({
        defaultValue: WEEKS,
        description: 'How many weeks, the one that is going on included; 2 to 104',
      }),
      maxAgeSeconds: t.arg.int({
        defaultValue: HOUR,
        description: 'A comparison of this day that is not older is fresh; 0 to 31,622,400',
      }),
    },
    resolve: (_root, { weeks, maxAgeSeconds }, ctx) =>
      askJobPanel(ctx, {
        contract: weeklyGrowth,
        input: { weeks: weeks ?? WEEKS },
        maxAgeSeconds: maxAgeSeconds ?? HOUR,
      }),
  }),
);

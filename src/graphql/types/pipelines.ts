import { addDays, countDays, type Period } from '../../domain/period.ts';
import { countRuns, failurePercent, type RunOutcomes as Outcomes } from '../../domain/run-outcomes.ts';
import { storedKinds } from '../../jobs/define.ts';
import { readPipelineDays, type StoredKinds } from '../../repositories/pipeline-days.ts';
import { readLiveKinds } from '../../repositories/pipeline-live.ts';
import { summarizeRuns, type RunsSummary } from '../../services/performance/summarize-runs.ts';
import { needs } from '../authorization/rules.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { publicKind } from '../job-kinds.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { Job } from './job.ts';
import { JobKind } from './job-enums.ts';
import { PeriodInput, readPeriod } from './period-input.ts';
import { orNull, Percentiles } from './queue-metrics.ts';

const RunOutcomes = builder.objectRef<Outcomes>('RunOutcomes').implement({
  description: 'Runs of jobs by how they ended.',
  fields: (t) => ({
    runs: t.field({ type: 'SafeInt', description: 'All of them', resolve: countRuns }),
    completed: t.expose('completed', { type: 'SafeInt', description: 'Done, nothing to complain about' }),
    completedWithWarnings: t.expose('warned', {
      type: 'SafeInt',
      description: 'Done, with items that warned or failed',
    }),
    failed: t.expose('failed', { type: 'SafeInt', description: 'Ended without a result' }),
    cancelled: t.expose('cancelled', { type: 'SafeInt', description: 'Ended on request' }),
    failurePercent: t.float({
      nullable: true,
      description: 'Share of the failed among those that nobody cancelled; null where there are none',
      resolve: failurePercent,
    }),
  }),
});

const PipelinePoint = builder.objectRef<RunsSummary['series'][number]>('PipelinePoint').implement({
  description: 'Runs that ended on one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
    outcomes: t.expose('outcomes', { type: RunOutcomes, description: 'How they ended' }),
  }),
});

/** What is told of one kind and of all together. */
const Runs = builder.interfaceRef<RunsSummary>('Runs').implement({
  description: 'How runs of jobs went in a period; each counts on the day on which it ended.',
  fields: (t) => ({
    outcomes: t.expose('outcomes', { type: RunOutcomes, description: 'Runs that ended in the period' }),
    before: t.expose('before', {
      type: RunOutcomes,
      description: 'Those that ended in as many days right before it',
    }),
    runsChangePercent: t.exposeFloat('runsChangePercent', {
      nullable: true,
      description: 'How many more runs than before, in percent; null where there were none',
    }),
    failureChange: t.exposeFloat('failureChange', {
      nullable: true,
      description: '`failurePercent` less that of the period before, in percentage points; null where one is',
    }),
    wait: t.field({
      type: Percentiles,
      nullable: true,
      description: 'From when a job could have started to its first start; null when none had started',
      resolve: ({ wait }) => orNull(wait),
    }),
    run: t.field({
      type: Percentiles,
      nullable: true,
      description:
        'From its first start to its end, retries and what lies between them included; null when none had started',
      resolve: ({ run }) => orNull(run),
    }),
    series: t.expose('series', {
      type: [PipelinePoint],
      description: 'Each day of the period, oldest first',
    }),
  }),
});

interface PipelineShape extends RunsSummary {
  readonly kind: string;
}

const loadLive = defineBatch((ctx, _params: null, kinds: readonly string[]) =>
  readLiveKinds(ctx.db, ctx.principal.organization.id, wantedKinds(ctx, kinds), TOTAL_COUNT_MAX),
);
const liveOf = ({ kind }: PipelineShape, ctx: GraphQLContext) => loadLive(ctx, 'all', null, kind);
const bounded = (count = 0): number | null => (count > TOTAL_COUNT_MAX ? null : count);

const Pipeline = builder.objectRef<PipelineShape>('Pipeline').implement({
  description: 'One kind of job: how its runs went, and what it does now.',
  interfaces: [Runs],
  fields: (t) => ({
    kind: t.field({ type: JobKind, description: 'Which one', resolve: ({ kind }) => publicKind(kind) }),
    pending: t.int({
      nullable: true,
      description: 'Jobs that wait now; exact up to 10,000 and null beyond',
      resolve: async (pipeline, _args, ctx) => bounded((await liveOf(pipeline, ctx))?.pending),
    }),
    running: t.int({
      nullable: true,
      description: 'Jobs that a worker is at now; exact up to 10,000 and null beyond',
      resolve: async (pipeline, _args, ctx) => bounded((await liveOf(pipeline, ctx))?.running),
    }),
    lastJob: t.prismaField({
      type: Job,
      nullable: true,
      description: 'The newest job of the kind, however it stands; null: there is none',
      resolve: async (query, pipeline, _args, ctx) => {
        const id = (await liveOf(pipeline, ctx))?.lastJobId;
        if (!id) return null;
        const organizationId = ctx.principal.organization.id;
        // Prisma gathers these into one statement.
        return ctx.prisma.job.findUnique({ ...query, where: { organizationId_id: { organizationId, id } } });
      },
    }),
  }),
});

const PipelineTotals = builder.objectRef<RunsSummary>('PipelineTotals').implement({
  description: 'The same of all kinds that were asked for together.',
  interfaces: [Runs],
});

interface PipelinesShape {
  readonly period: Period;
  readonly totals: RunsSummary;
  readonly kinds: readonly PipelineShape[];
}

const Pipelines = builder.objectRef<PipelinesShape>('Pipelines').implement({
  description: "How the organization's jobs went, kind by kind; some seconds old at most.",
  fields: (t) => ({
    from: t.field({ type: 'Date', description: 'First day', resolve: ({ period }) => period.from }),
    to: t.field({ type: 'Date', description: 'Last day', resolve: ({ period }) => period.to }),
    timeZone: t.string({
      description: "The organization's, whose days these are",
      resolve: (_pipelines, _args, { principal }) => principal.organization.timeZone,
    }),
    totals: t.expose('totals', { type: PipelineTotals, description: 'All kinds together' }),
    kinds: t.field({
      type: [Pipeline],
      description: 'One entry per kind, also where nothing ran',
      resolve: ({ kinds }) => [...kinds],
    }),
  }),
});

function wantedKinds({ jobs }: GraphQLContext, wanted: readonly string[] | null): StoredKinds {
  const all = storedKinds(jobs.catalogue);
  return wanted === null ? all : new Map([...all].filter(([kind]) => wanted.includes(kind)));
}

async function readPipelines(
  ctx: GraphQLContext,
  period: Period,
  wanted: readonly string[] | null,
): Promise<PipelinesShape> {
  const { id: organizationId, timeZone } = ctx.principal.organization;
  const before = { from: addDays(period.from, -countDays(period)), to: addDays(period.from, -1) };
  const kinds = wantedKinds(ctx, wanted);
  const figures = await readPipelineDays(ctx.db, { organizationId, kinds, period, before, timeZone });
  return {
    period,
    totals: summarizeRuns(period, figures),
    kinds: figures.map((known) => ({ kind: known.kind, ...summarizeRuns(period, [known]) })),
  };
}

builder.queryField('pipelines', (t) =>
  t.field({
    extensions: needs('read'),
    type: Pipelines,
    description: 'How many jobs of each kind ran, how they ended and how long they took, from daily rollups',
    args: {
      period: t.arg({ type: PeriodInput, description: 'Days on which they ended' }),
      kinds: t.arg({ type: [JobKind], description: 'Only these; default: all' }),
    },
    resolve: (_root, { period, kinds }, ctx) => {
      const { timeZone } = ctx.principal.organization;
      return readPipelines(ctx, readPeriod(period, { timeZone, now: ctx.clock.now() }), kinds ?? null);
    },
  }),
);

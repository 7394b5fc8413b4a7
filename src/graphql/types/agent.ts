import { z } from 'zod';
import { daysOf, type Period, type PeriodInput as PeriodInputValue } from '../../domain/period.ts';
import { percentOf } from '../../domain/run-outcomes.ts';
import {
  agentFigures,
  agentPage,
  agentSeries,
  agentTotals,
  agentTotalSeries,
  countAgents,
  NO_AGENT_RUNS,
  type AgentFigures as Figures,
  type AgentScope,
  type AgentSeries,
  type NamedAgentFigures,
} from '../../repositories/agent-figures.ts';
import { needs } from '../authorization/rules.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { Money } from './money.ts';
import { PeriodInput, readPeriod } from './period-input.ts';
import { orNull, Percentiles } from './queue-metrics.ts';

const AgentFigures = builder.interfaceRef<Figures>('AgentFigures').implement({
  description: 'What runs of agents came to.',
  fields: (t) => ({
    runs: t.expose('runs', { type: 'SafeInt', description: 'All of them' }),
    succeeded: t.expose('succeeded', { type: 'SafeInt', description: 'Those that did what they were for' }),
    successPercent: t.float({
      nullable: true,
      description: 'Share of the succeeded, 0 to 100; null where nothing ran',
      resolve: ({ succeeded, runs }) => percentOf(succeeded, runs),
    }),
    duration: t.field({
      type: Percentiles,
      nullable: true,
      description: 'How long a run took; null where nothing ran',
      resolve: ({ durations }) => orNull(durations),
    }),
    tokens: t.expose('tokens', { type: 'SafeInt', description: 'Tokens that they used' }),
    cost: t.field({
      type: [Money],
      description: 'What they cost, one entry per currency, by its code; empty where no cost was told',
      resolve: ({ cost }) => [...cost],
    }),
  }),
});

const AgentPoint = builder.objectRef<Figures & { readonly date: string }>('AgentPoint').implement({
  description: 'Runs of one day.',
  interfaces: [AgentFigures],
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
  }),
});

const SERIES = 'Each day of the period, oldest first';

const pointsOf = (period: Period, days: AgentSeries | undefined) =>
  daysOf(period).map((date) => ({ date, ...(days?.get(date) ?? NO_AGENT_RUNS) }));

interface AgentShape extends NamedAgentFigures {
  readonly scope: AgentScope;
}

const loadSeries = defineBatch((ctx, scope: AgentScope, names: readonly string[]) =>
  agentSeries(ctx.db, scope, names),
);

const Agent = builder.objectRef<AgentShape>('Agent').implement({
  description: "An AI agent of the team's own, as its runs were told by `recordAgentActivity`.",
  interfaces: [AgentFigures],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What its runs call it' }),
    series: t.field({
      type: [AgentPoint],
      description: SERIES,
      resolve: async ({ name, scope }, _args, ctx) =>
        pointsOf(scope, await loadSeries(ctx, `${scope.from} ${scope.to}`, scope, name)),
    }),
  }),
});

const AgentTotals = builder.objectRef<Figures & { readonly scope: AgentScope }>('AgentTotals').implement({
  description: 'All agents of the period together.',
  interfaces: [AgentFigures],
  fields: (t) => ({
    series: t.field({
      type: [AgentPoint],
      description: SERIES,
      resolve: async ({ scope }, _args, { db }) => pointsOf(scope, await agentTotalSeries(db, scope)),
    }),
  }),
});

const AgentConnection = connectionType<AgentShape, { readonly scope: AgentScope }>(
  'Agent',
  (t) => t.field({ type: Agent, description: 'The agent', resolve: ({ node }) => node }),
  {
    description: 'A page of agents, by name.',
    totalCount: { nullable: false, description: 'Agents that ran in the period' },
  },
);
builder.objectFields(AgentConnection, (t) => ({
  from: t.field({ type: 'Date', description: 'First day', resolve: ({ scope }) => scope.from }),
  to: t.field({ type: 'Date', description: 'Last day', resolve: ({ scope }) => scope.to }),
  totals: t.field({
    type: AgentTotals,
    description: 'All agents of the period together, whatever the page',
    resolve: async ({ scope }, _args, { db }) => ({ scope, ...(await agentTotals(db, scope)) }),
  }),
}));

function scopeOf(
  { principal: { organization }, clock }: GraphQLContext,
  period: PeriodInputValue | null | undefined,
): AgentScope {
  const days = readPeriod(period, { timeZone: organization.timeZone, now: clock.now() });
  return { organizationId: organization.id, ...days };
}

const periodArg = { type: PeriodInput, description: 'Days on which they ran' } as const;

builder.queryField('agents', (t) =>
  t.field({
    extensions: needs('read'),
    type: AgentConnection,
    description: 'The AI agents that ran in a period, by name, from daily rollups',
    args: { period: t.arg(periodArg), ...pageArgs },
    async resolve(_root, { period, ...args }, ctx) {
      const request = readPage(ctx, args, 'agents', z.string().min(1).max(500));
      const scope = scopeOf(ctx, period);
      const rows = await agentPage(ctx.db, scope, { after: request.after, limit: request.first + 1 });
      const page = toPage({
        list: 'agents',
        request,
        rows: rows.map((row) => ({ ...row, scope })),
        keyOf: ({ name }) => name,
        totalCount: () => countAgents(ctx.db, scope),
      });
      return { ...page, scope };
    },
  }),
);

builder.queryField('agent', (t) =>
  t.field({
    extensions: needs('read'),
    type: Agent,
    nullable: true,
    description: 'One AI agent; null when it did not run in the period',
    args: {
      name: t.arg.string({ required: true, description: 'What its runs call it' }),
      period: t.arg(periodArg),
    },
    async resolve(_root, { name, period }, ctx) {
      const scope = scopeOf(ctx, period);
      const figures = await agentFigures(ctx.db, scope, name);
      return figures && { ...figures, scope };
    },
  }),
);

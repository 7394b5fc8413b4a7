import { AGENT_RUNS_MAX, parseAgentRuns, type RecordedRuns } from '../../domain/agent-run.ts';
import type { UserError as UserErrorShape } from '../../domain/errors.ts';
import { recordAgentRuns } from '../../repositories/agent-runs.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { UserError } from './user-error.ts';

const AgentCostInput = builder.inputType('AgentCostInput', {
  description: 'What a run cost, exactly.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      required: true,
      description: 'Not negative; at most 6 digits behind the point',
    }),
    currency: t.string({ required: true, description: 'ISO 4217, such as "EUR"' }),
  }),
});

const AgentRunInput = builder.inputType('AgentRunInput', {
  description: "One run of an AI agent of the team's own.",
  fields: (t) => ({
    key: t.string({
      required: true,
      description: 'Its own within the organization, 1 to 500 characters: told again, it replaces the run',
    }),
    agent: t.string({ required: true, description: 'Name of the agent; 1 to 500 characters' }),
    at: t.field({ type: 'DateTime', required: true, description: 'When it ran; not in the future' }),
    succeeded: t.boolean({ required: true, description: 'Whether it did what it was for' }),
    durationMs: t.field({ type: 'SafeInt', required: true, description: 'How long it took, in ms' }),
    tokens: t.field({ type: 'SafeInt', required: true, description: 'Tokens that it used' }),
    cost: t.field({ type: AgentCostInput, description: 'What it cost; absent: nothing, or unknown' }),
  }),
});

const RecordAgentActivityInput = builder.inputType('RecordAgentActivityInput', {
  description: 'Runs of AI agents.',
  fields: (t) => ({
    runs: t.field({
      type: [AgentRunInput],
      required: true,
      description: `1 to ${AGENT_RUNS_MAX.toLocaleString('en')}; of two with the same key the later one counts`,
    }),
  }),
});

const RecordAgentActivityPayload = builder
  .objectRef<RecordedRuns & WithUserErrors>('RecordAgentActivityPayload')
  .implement({
    description: 'How many runs it was about, each key once; all are 0 with `userErrors`.',
    fields: (t) => ({
      recorded: t.exposeInt('recorded', { description: 'Runs that were not known' }),
      replaced: t.exposeInt('replaced', { description: 'Runs that were told otherwise before' }),
      unchanged: t.exposeInt('unchanged', { description: 'Runs that were known just so' }),
      userErrors: t.field({
        type: [UserError],
        description: 'What must be mended; empty when it worked',
        resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
      }),
    }),
  });

const NOTHING: RecordedRuns = { recorded: 0, replaced: 0, unchanged: 0 };

builder.mutationField('recordAgentActivity', (t) =>
  t.field({
    extensions: needs('record_activity'),
    type: RecordAgentActivityPayload,
    description:
      'Tells of runs of AI agents, for `agents`: all of them are taken, or none. The same again changes nothing, so that it is safe to repeat',
    args: { input: t.arg({ type: RecordAgentActivityInput, required: true, description: 'The runs' }) },
    resolve: (_root, { input }, { db, clock, principal: { organization, triggeredBy } }) =>
      withUserErrors(NOTHING, () => {
        const runs = parseAgentRuns(input, clock.now());
        return recordAgentRuns(db, { organizationId: organization.id, recordedBy: triggeredBy }, runs);
      }),
  }),
);

import type { CallOptions, Execute } from './client.ts';
import { throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type AgentPage = operations.ListAgentsQuery['agents'];
/** With each day of the period. */
export type AgentDetails = NonNullable<operations.GetAgentQuery['agent']>;
/** How many runs were told, by what was known of them. */
export type RecordedRuns = Pick<
  operations.RecordAgentActivityMutation['recordAgentActivity'],
  'recorded' | 'replaced' | 'unchanged'
>;

/** AI agents of the team's own: what they did, told by whoever runs them. */
export interface Agents {
  /**
   * Tells of 1 to 1,000 runs, all of them or none; safe to repeat, as a run is known by its key.
   * @throws MillraceUserError that names what is wrong with which run
   */
  record(runs: readonly operations.AgentRunInput[], options?: CallOptions): Promise<RecordedRuns>;
  /** By name; default: those that ran in the last 30 days. */
  list(variables?: operations.ListAgentsQueryVariables, options?: CallOptions): Promise<AgentPage>;
  /** Null for one that did not run in the period; default: the last 30 days. */
  get(name: string, period?: operations.PeriodInput, options?: CallOptions): Promise<AgentDetails | null>;
}

export function createAgents(execute: Execute): Agents {
  return {
    async record(runs, options) {
      const variables = { input: { runs: [...runs] } };
      const answer = await execute(operations.RecordAgentActivityDocument, variables, options);
      throwUserErrors(answer.recordAgentActivity);
      const { recorded, replaced, unchanged } = answer.recordAgentActivity;
      return { recorded, replaced, unchanged };
    },
    list: async (variables = {}, options) =>
      (await execute(operations.ListAgentsDocument, variables, options)).agents,
    get: async (name, period, options) =>
      (await execute(operations.GetAgentDocument, { name, period: period ?? null }, options)).agent,
  };
}

import type { CallOptions, Execute } from './client.ts';
import * as operations from './generated/graphql.ts';

export type Pipelines = operations.GetPipelinesQuery['pipelines'];
export type WeeklyGrowth = operations.GetWeeklyGrowthQuery['weeklyGrowth'];
export type PerformanceMetrics = operations.GetPerformanceMetricsQuery['performanceMetrics'];

export interface Insights {
  /** How jobs of each kind ran; default: all kinds over 30 days, today included. */
  pipelines(variables?: operations.GetPipelinesQueryVariables, options?: CallOptions): Promise<Pipelines>;
  /**
   * How the panels' figures change from week to week; default: 12 weeks, at most an hour old. Follow `refreshJob` where
   * there is one, and ask again when it has ended.
   */
  weeklyGrowth(
    variables?: operations.GetWeeklyGrowthQueryVariables,
    options?: CallOptions,
  ): Promise<WeeklyGrowth>;
  /** How fast and how well jobs, syncs and providers worked; as `weeklyGrowth`. Default: 30 days. */
  performanceMetrics(
    variables?: operations.GetPerformanceMetricsQueryVariables,
    options?: CallOptions,
  ): Promise<PerformanceMetrics>;
}

export function createInsights(execute: Execute): Insights {
  return {
    pipelines: async (variables = {}, options) =>
      (await execute(operations.GetPipelinesDocument, variables, options)).pipelines,
    weeklyGrowth: async (variables = {}, options) =>
      (await execute(operations.GetWeeklyGrowthDocument, variables, options)).weeklyGrowth,
    performanceMetrics: async (variables = {}, options) =>
      (await execute(operations.GetPerformanceMetricsDocument, variables, options)).performanceMetrics,
  };
}

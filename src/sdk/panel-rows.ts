import type { CallOptions, Execute } from './client.ts';
import * as operations from './generated/graphql.ts';

export type RevenueRows = operations.ListRevenueRowsQuery['revenue'];
export type TrafficRows = operations.ListTrafficRowsQuery['traffic'];
export type AdsRows = operations.ListAdsRowsQuery['ads'];
export type SocialRows = operations.ListSocialRowsQuery['social'];
export type EmailRows = operations.ListEmailRowsQuery['email'];
export type SupportRows = operations.ListSupportRowsQuery['support'];

/** The panels in detail: figures by day, week or month, and by group, page by page; default: days of the last 30, ungrouped. */
export interface PanelRows {
  revenue(variables?: operations.ListRevenueRowsQueryVariables, options?: CallOptions): Promise<RevenueRows>;
  traffic(variables?: operations.ListTrafficRowsQueryVariables, options?: CallOptions): Promise<TrafficRows>;
  ads(variables?: operations.ListAdsRowsQueryVariables, options?: CallOptions): Promise<AdsRows>;
  social(variables?: operations.ListSocialRowsQueryVariables, options?: CallOptions): Promise<SocialRows>;
  email(variables?: operations.ListEmailRowsQueryVariables, options?: CallOptions): Promise<EmailRows>;
  support(variables?: operations.ListSupportRowsQueryVariables, options?: CallOptions): Promise<SupportRows>;
}

export function createPanelRows(execute: Execute): PanelRows {
  return {
    revenue: async (variables = {}, options) =>
      (await execute(operations.ListRevenueRowsDocument, variables, options)).revenue,
    traffic: async (variables = {}, options) =>
      (await execute(operations.ListTrafficRowsDocument, variables, options)).traffic,
    ads: async (variables = {}, options) =>
      (await execute(operations.ListAdsRowsDocument, variables, options)).ads,
    social: async (variables = {}, options) =>
      (await execute(operations.ListSocialRowsDocument, variables, options)).social,
    email: async (variables = {}, options) =>
      (await execute(operations.ListEmailRowsDocument, variables, options)).email,
    support: async (variables = {}, options) =>
      (await execute(operations.ListSupportRowsDocument, variables, options)).support,
  };
}

import { supportAggregation } from './support-aggregation.ts';
import { emailAggregation } from './email-aggregation.ts';
import { socialAggregation } from './social-aggregation.ts';
import { adsAggregation } from './ads-aggregation.ts';
import { trafficAggregation } from './traffic-aggregation.ts';
import { revenueAggregation } from './revenue-aggregation.ts';
import { agentAggregation } from './agent-aggregation.ts';
import { bulkOperation } from './bulk-operation.ts';
import { canary } from './canary.ts';
import { catalogueOf } from './define.ts';
import { emailDelivery } from './email-delivery.ts';
import { connectorSync } from './connector-sync.ts';
import { performanceMetrics } from './performance-metrics.ts';
import { productImport } from './product-import.ts';
import { webhookDelivery } from './webhook-delivery.ts';
import { weeklyGrowth } from './weekly-growth.ts';

/** The kinds that the API shows, one line each. */
export const jobCatalogue = catalogueOf(
  productImport,
  connectorSync,
  revenueAggregation,
  trafficAggregation,
  adsAggregation,
  socialAggregation,
  emailAggregation,
  supportAggregation,
  agentAggregation,
  weeklyGrowth,
  performanceMetrics,
  bulkOperation,
);

/** The system's own kinds, in the queue `internal`: every process knows them, no list or count shows them. */
export const systemCatalogue = catalogueOf(canary, emailDelivery, webhookDelivery);

export type JobKind = keyof typeof jobCatalogue;

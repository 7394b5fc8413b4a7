import { agentAggregation } from './agent-aggregation.ts';
import { bulkOperation } from './bulk-operation.ts';
import { canary } from './canary.ts';
import { catalogueOf } from './define.ts';
import { emailDelivery } from './email-delivery.ts';
import { connectorSync } from './connector-sync.ts';
import { panelAggregations } from './panel-aggregation.ts';
import { performanceMetrics } from './performance-metrics.ts';
import { productImport } from './product-import.ts';
import { webhookDelivery } from './webhook-delivery.ts';
import { weeklyGrowth } from './weekly-growth.ts';

/** The kinds that the API shows, one line each. */
export const jobCatalogue = catalogueOf(
  productImport,
  connectorSync,
  panelAggregations.revenue,
  panelAggregations.traffic,
  panelAggregations.ads,
  panelAggregations.social,
  panelAggregations.email,
  panelAggregations.support,
  agentAggregation,
  weeklyGrowth,
  performanceMetrics,
  bulkOperation,
);

/** The system's own kinds, in the queue `internal`: every process knows them, no list or count shows them. */
export const systemCatalogue = catalogueOf(canary, emailDelivery, webhookDelivery);

export type JobKind = keyof typeof jobCatalogue;

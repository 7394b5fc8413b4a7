import type { jobCatalogue, systemCatalogue } from '../../src/jobs/index.ts';
import type { Handlers } from '../handlers.ts';
import { aggregateAgents } from './agent-aggregation.ts';
import { operateInBulk } from './bulk-operation.ts';
import { sing } from './canary.ts';
import { syncConnection } from './connector-sync.ts';
import { sendEmail, type EmailDeliveryDeps } from './email-delivery.ts';
import { aggregate } from './panel-aggregation.ts';
import { measurePerformance } from './performance-metrics.ts';
import { importProducts } from './product-import.ts';
import { deliverWebhook, type WebhookDeliveryDeps } from './webhook-delivery.ts';
import { measureGrowth } from './weekly-growth.ts';

/** What each public kind does, one line each. */
export const jobHandlers: Handlers<typeof jobCatalogue> = {
  product_import: importProducts,
  connector_sync: syncConnection,
  revenue_aggregation: aggregate('revenue'),
  traffic_aggregation: aggregate('traffic'),
  ads_aggregation: aggregate('ads'),
  social_aggregation: aggregate('social'),
  email_aggregation: aggregate('email'),
  support_aggregation: aggregate('support'),
  agent_aggregation: aggregateAgents,
  weekly_growth: measureGrowth,
  performance_metrics: measurePerformance,
  bulk_operation: operateInBulk,
};

/** What each of the system's own kinds does, with what it reaches the outside by. */
export function createSystemHandlers(
  deps: EmailDeliveryDeps & WebhookDeliveryDeps,
): Handlers<typeof systemCatalogue> {
  return {
    canary: sing,
    email_delivery: sendEmail(deps),
    webhook_delivery: deliverWebhook(deps),
  };
}

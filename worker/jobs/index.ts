import { aggregateSupport } from './support-aggregation.ts';
import { aggregateEmail } from './email-aggregation.ts';
import { aggregateSocial } from './social-aggregation.ts';
import { aggregateAds } from './ads-aggregation.ts';
import { aggregateTraffic } from './traffic-aggregation.ts';
import { aggregateRevenue } from './revenue-aggregation.ts';
import type { jobCatalogue, systemCatalogue } from '../../src/jobs/index.ts';
import type { Handlers } from '../handlers.ts';
import { aggregateAgents } from './agent-aggregation.ts';
import { operateInBulk } from './bulk-operation.ts';
import { sing } from './canary.ts';
import { syncConnection } from './connector-sync.ts';
import { sendEmail, type EmailDeliveryDeps } from './email-delivery.ts';
import { measurePerformance } from './performance-metrics.ts';
import { importProducts } from './product-import.ts';
import { deliverWebhook, type WebhookDeliveryDeps } from './webhook-delivery.ts';
import { measureGrowth } from './weekly-growth.ts';

/** What each public kind does, one line each. */
export const jobHandlers: Handlers<typeof jobCatalogue> = {
  product_import: importProducts,
  connector_sync: syncConnection,
  revenue_aggregation: aggregateRevenue,
  traffic_aggregation: aggregateTraffic,
  ads_aggregation: aggregateAds,
  social_aggregation: aggregateSocial,
  email_aggregation: aggregateEmail,
  support_aggregation: aggregateSupport,
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

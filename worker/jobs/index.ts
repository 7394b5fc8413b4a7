import type { jobCatalogue, systemCatalogue } from '../../src/jobs/index.ts';
import type { Handlers } from '../handlers.ts';
import { operateInBulk } from './bulk-operation.ts';
import { sing } from './canary.ts';
import { sendEmail, type EmailDeliveryDeps } from './email-delivery.ts';
import { importProducts } from './product-import.ts';
import { deliverWebhook, type WebhookDeliveryDeps } from './webhook-delivery.ts';

/** What each public kind does, one line each. */
export const jobHandlers: Handlers<typeof jobCatalogue> = {
  product_import: importProducts,
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

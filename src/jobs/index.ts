import { bulkOperation } from './bulk-operation.ts';
import { canary } from './canary.ts';
import { catalogueOf } from './define.ts';
import { emailDelivery } from './email-delivery.ts';
import { productImport } from './product-import.ts';
import { webhookDelivery } from './webhook-delivery.ts';

/** The kinds that the API shows, one line each. */
export const jobCatalogue = catalogueOf(productImport, bulkOperation);

/** The system's own kinds, in the queue `internal`: every process knows them, no list or count shows them. */
export const systemCatalogue = catalogueOf(canary, emailDelivery, webhookDelivery);

export type JobKind = keyof typeof jobCatalogue;

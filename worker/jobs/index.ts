import type { jobCatalogue, systemCatalogue } from '../../src/jobs/index.ts';
import type { Handlers } from '../handlers.ts';
import { operateInBulk } from './bulk-operation.ts';
import { sing } from './canary.ts';
import { importProducts } from './product-import.ts';

/** What each public kind does, one line each. */
export const jobHandlers: Handlers<typeof jobCatalogue> = {
  product_import: importProducts,
  bulk_operation: operateInBulk,
};

/** What each of the system's own kinds does. */
export const systemHandlers: Handlers<typeof systemCatalogue> = {
  canary: sing,
};

import type { jobCatalogue } from '../../src/jobs/index.ts';
import type { Handlers } from '../handlers.ts';
import { importProducts } from './product-import.ts';

/** What each public kind does, one line each. */
export const jobHandlers: Handlers<typeof jobCatalogue> = {
  product_import: importProducts,
};

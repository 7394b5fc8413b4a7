import { catalogueOf } from './define.ts';
import { productImport } from './product-import.ts';

/** The kinds that the API shows, one line each. */
export const jobCatalogue = catalogueOf(productImport);

export type JobKind = keyof typeof jobCatalogue;

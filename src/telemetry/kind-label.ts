import type { JobCatalogue } from '../jobs/define.ts';

/** Kinds as label values: those of the catalogue, and one for all that rows of other versions may name. */
export function kindLabels(catalogue: JobCatalogue): (kind: string) => string {
  return (kind) => (Object.hasOwn(catalogue, kind) ? kind : 'other');
}

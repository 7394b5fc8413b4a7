import { jobCatalogue, type JobKind } from '../jobs/index.ts';
import type { JobCatalogue, JobContract } from '../jobs/define.ts';

/** The contract that a stored kind means, under today's name or an older one. */
export function contractOf(catalogue: JobCatalogue, stored: string): JobContract | undefined {
  return catalogue[stored] ?? Object.values(catalogue).find(({ aliases }) => aliases?.includes(stored));
}

/** A stored kind as the schema knows it, or null for a kind of the system's own or of another release. */
export function publicKindOrNull(stored: string): JobKind | null {
  const kind = contractOf(jobCatalogue, stored)?.kind;
  return PUBLIC_KINDS.find((name) => name === kind) ?? null;
}

/** As `publicKindOrNull`. @throws where that is null */
export function publicKind(stored: string): JobKind {
  const known = publicKindOrNull(stored);
  if (!known) throw new Error(`the schema knows no kind of job called ${stored}`);
  return known;
}

const PUBLIC_KINDS: readonly JobKind[] = Object.values(jobCatalogue).map(({ kind }) => kind);

import { jobCatalogue } from '../../jobs/index.ts';
import { builder } from '../builder.ts';
import { contractOf } from '../job-kinds.ts';
import { pascalCase } from '../zod-node.ts';
import { outputTypeOf } from '../zod-output.ts';
import type { GraphQLContext } from '../context.ts';

const members = new Map(
  Object.values(jobCatalogue).map(({ kind, title, output }) => [
    kind as string,
    outputTypeOf(
      `${pascalCase(kind)}Result`,
      output,
      `What "${title}" came to. ${output.description ?? ''}`.trim(),
    ),
  ]),
);

/** The member of a kind. @throws for one that the API does not show */
export function resultTypeOf(kind: string) {
  const type = members.get(kind);
  if (!type) throw new Error(`no kind of job is called ${kind}`);
  return type;
}

const kindOfResult = new WeakMap<object, string>();

export const JobResult = builder.unionType('JobResult', {
  description: 'What a job came to: one member per kind.',
  types: [...members.values()],
  resolveType: (result) => members.get(kindOfResult.get(result) ?? ''),
});

/** A stored result as its kind's member, or null when there is none or it was written by another release. */
export function resultOf(
  job: { readonly kind: string; readonly result: unknown },
  { log, requestId }: Pick<GraphQLContext, 'log' | 'requestId'>,
) {
  if (job.result === null) return null;
  const contract = contractOf(jobCatalogue, job.kind);
  const parsed = contract?.output.safeParse(job.result);
  if (!contract || !parsed?.success) {
    log.warn(
      { kind: job.kind, requestId, err: parsed?.error },
      'a stored result does not fit its kind and is not shown',
    );
    return null;
  }
  kindOfResult.set(parsed.data, contract.kind);
  return parsed.data;
}

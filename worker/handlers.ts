import type { z } from 'zod';
import type { JobCatalogue, JobContract } from '../src/jobs/define.ts';
import type { ClaimedJob } from '../src/repositories/job-claims.ts';
import type { Handler, JobContext } from './context.ts';

/** A handler for each kind of a catalogue: one that is missing does not compile. */
export type Handlers<C extends JobCatalogue> = { readonly [K in keyof C]: Handler<C[K]> };

type StoredInput = Pick<ClaimedJob, 'input' | 'version'>;

/** Handlers behind their parsers: input in any version that was ever stored goes in, output that fits comes out. */
export type BoundHandlers = ReadonlyMap<string, (ctx: JobContext, job: StoredInput) => Promise<unknown>>;

/** Binds each handler to its contract. */
export function bindHandlers<C extends JobCatalogue>(catalogue: C, handlers: Handlers<C>): BoundHandlers {
  const kinds: (keyof C & string)[] = Object.keys(catalogue);
  return new Map(kinds.map((kind) => [kind, bind(catalogue[kind], handlers[kind])]));
}

function bind<C extends JobContract>(contract: C | undefined, handler: Handler<C>) {
  if (!contract) throw new Error('a handler without a contract');
  return async (ctx: JobContext, { input, version }: StoredInput): Promise<unknown> => {
    const today = version < contract.version && contract.upgrade ? contract.upgrade(input, version) : input;
    return contract.output.parse(await handler(ctx, parseAs<C['input']>(contract.input, today)));
  };
}

function parseAs<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  return schema.parse(value);
}

import { z } from 'zod';
import { bulkOperation } from '../../src/jobs/bulk-operation.ts';
import { catalogueOf, defineJob } from '../../src/jobs/define.ts';
import type { JobContext } from '../../worker/context.ts';
import type { Handlers } from '../../worker/handlers.ts';
import { operateInBulk } from '../../worker/jobs/bulk-operation.ts';

const quick = { maxAttempts: 3, backoff: { baseMs: 20, maxMs: 100 } };
const common = { version: 1, queue: 'default', retry: quick, timeoutMs: 60_000, startable: 'api' } as const;

/** Runs what the test put under the script's name. */
const scripted = defineJob({
  ...common,
  kind: 'scripted',
  title: 'Scripted',
  input: z.object({ script: z.string() }),
  output: z.object({ value: z.string() }),
});
/** One live job per key. */
const single = defineJob({
  ...common,
  kind: 'single',
  title: 'Single',
  input: z.object({ key: z.string(), note: z.string().default('') }),
  output: z.object({}),
  uniqueKey: (input) => input.key,
});
/** Its result may be reused. */
const cached = defineJob({
  ...common,
  kind: 'cached',
  title: 'Cached',
  input: z.object({ of: z.string() }),
  output: z.object({ at: z.string() }),
  cacheable: true,
});
/** Gives up after 300 ms. */
const hasty = defineJob({
  ...common,
  kind: 'hasty',
  title: 'Hasty',
  input: z.object({}),
  output: z.object({}),
  timeoutMs: 300,
  retry: { maxAttempts: 1, backoff: quick.backoff },
});

export const testCatalogue = catalogueOf(scripted, single, cached, hasty, bulkOperation);

export type Script = (ctx: JobContext) => Promise<string>;

/** Handlers of the test kinds; scripts are looked up when they run. */
export function testHandlers(scripts: Readonly<Record<string, Script>> = {}): Handlers<typeof testCatalogue> {
  return {
    async scripted(ctx, { script }) {
      const run = scripts[script];
      if (!run) throw new Error(`no script ${script}`);
      return { value: await run(ctx) };
    },
    single: (ctx) => untilAborted(ctx.signal),
    cached: (ctx) => Promise.resolve({ at: ctx.now().toISOString() }),
    hasty: (ctx) => untilAborted(ctx.signal),
    bulk_operation: operateInBulk,
  };
}

/** Never returns: rejects when the signal fires. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
  });
}

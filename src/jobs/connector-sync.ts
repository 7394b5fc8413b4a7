import { z } from 'zod';
import { isDate } from '../domain/period.ts';
import { defineJob } from './define.ts';

const day = z.string().refine(isDate, { error: 'Expected a day as YYYY-MM-DD.' }).meta({ graphql: 'Date' });

/** Reads what is new at a provider, entity by entity and page by page. */
export const connectorSync = defineJob({
  kind: 'connector_sync',
  version: 1,
  queue: 'long_running',
  title: 'Sync a connection',
  input: z.object({
    connectionId: z.uuid().meta({ idOf: 'connection', description: 'The account to read' }),
    entities: z
      .array(z.string().min(1).max(100))
      .min(1)
      .max(50)
      .nullish()
      .meta({ description: 'Names of what to read, as `Connection.entities` has them; absent: all' }),
    from: day.nullish().meta({
      description: 'Read again from this day on, whatever was read before',
    }),
    to: day.nullish().meta({
      description:
        'With `from`: the last day that is wanted. What is later is read too, as later syncs go on from there',
    }),
    full: z
      .boolean()
      .default(false)
      .meta({ description: "Read everything again from the connection's first day on" }),
  }),
  output: z.object({
    pages: z.int().meta({ description: 'Answers of the provider that were written' }),
    changed: z.int().meta({ description: 'Records that are new, or other than before' }),
    unchanged: z.int().meta({ description: 'Records that were there already' }),
    removed: z.int().meta({ description: 'Records that the provider no longer has' }),
    rejected: z.int().meta({ description: 'Records that make no sense; `items` tells why' }),
    failedEntities: z.int().meta({ description: 'Entities that could not be read; `items` tells why' }),
  }),
  retry: { maxAttempts: 8, backoff: { baseMs: 2_000, maxMs: 300_000 } },
  timeoutMs: 6 * 60 * 60_000,
  uniqueKey: ({ connectionId }) => connectionId,
  startable: 'api',
  schedulable: false,
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { catalogueOf, defineJob } from '../../src/jobs/define.ts';
import { fireDueSchedules } from '../../worker/maintenance/schedules.ts';
import { startEngine } from '../support/engine.ts';

import { bench, never } from '../support/schedule-bench.ts';

describe('a kind that changed', () => {
  const common = {
    kind: 'grown',
    queue: 'default',
    title: 'Grown',
    output: z.object({}),
    retry: { maxAttempts: 1, backoff: { baseMs: 1, maxMs: 1 } },
    timeoutMs: 1_000,
    startable: 'api',
  } as const;
  const old = catalogueOf(defineJob({ ...common, version: 1, input: z.object({ of: z.string() }) }));
  const oldInput = z.object({ of: z.string().refine((of) => of !== 'odd') });
  const today = catalogueOf(
    defineJob({
      ...common,
      version: 2,
      input: z.object({ names: z.array(z.string()) }),
      upgrade: (input) => ({ names: [oldInput.parse(input).of] }),
    }),
  );

  it('gets the input of an older schedule in its present shape, or the schedule tells why not', async () => {
    const handlers = { grown: () => Promise.resolve({}) };
    const engine = await startEngine({ broker: 'postgres', catalogue: old, handlers });
    try {
      const { db, create, makeDue, row, jobsOf } = bench(engine);
      const good = await create({ kind: 'grown', input: { of: 'x' } });
      const odd = await create({ kind: 'grown', input: { of: 'odd' } });
      await makeDue(good);
      await makeDue(odd);
      await fireDueSchedules({ ...engine.jobs, catalogue: today }, never);
      const { rows } = await db.query('SELECT version, input FROM jobs');
      expect(rows).toEqual([{ version: 2, input: { names: ['x'] } }]);
      expect(await jobsOf(odd)).toEqual([]);
      expect((await row(odd)).last_error).toMatch(/older version of "Grown"/);
    } finally {
      await engine.close();
    }
  });

  it('that fails to be started for a reason of ours is tried again, and troubles no neighbour', async () => {
    const broken = catalogueOf(
      defineJob({
        ...common,
        version: 1,
        input: z.object({ of: z.string() }),
        uniqueKey: ({ of }) => {
          if (of === 'odd') throw new Error('a defect');
          return null;
        },
      }),
    );
    const handlers = { grown: () => Promise.resolve({}) };
    const engine = await startEngine({ broker: 'postgres', catalogue: old, handlers });
    try {
      const { create, makeDue, row, jobsOf } = bench(engine);
      const odd = await create({ kind: 'grown', input: { of: 'odd' } });
      const good = await create({ kind: 'grown', input: { of: 'x' } });
      const dueAt = await makeDue(odd, 60);
      await makeDue(good, 30);
      await fireDueSchedules({ ...engine.jobs, catalogue: broken }, never);
      expect(await jobsOf(good)).toHaveLength(1);
      expect(await row(odd)).toMatchObject({
        next_due_at: dueAt,
        last_error: 'The job could not be started. The server tries again.',
      });
      await engine.database.db.query('UPDATE schedules SET retry_at = NULL');
      await fireDueSchedules(engine.jobs, never);
      expect(await jobsOf(odd)).toMatchObject([{ scheduled_for: dueAt }]);
    } finally {
      await engine.close();
    }
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, MillraceUserError, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { readsDuring } from '../support/statements.ts';

let api: TestApi;
let client: MillraceClient;
let uploadId: string;
beforeAll(async () => {
  api = await startApi();
  client = createClient({ url: api.graphqlUrl, token: api.tokens.member });
  uploadId = await client.uploadFile(Buffer.from('Handle,Title\nshirt,Shirt\n'), 'products.csv');
});
afterAll(async () => {
  await client.close();
  await api.close();
});

const NIGHTLY = { cron: { expression: '30 2 * * *', timeZone: 'Europe/Berlin' } };
let made = 0;
const request = (more: object = {}) => {
  made += 1;
  return {
    name: `schedule ${made}`,
    timing: NIGHTLY,
    job: { productImport: { source: { uploadId } } },
    ...more,
  };
};
const errorsOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MillraceUserError);
  return error instanceof MillraceUserError ? error.errors : [];
};
const scheduleCount = async () => (await client.schedules.list()).totalCount;
/** As if it had been due so many seconds ago and were done with that. */
const finish = (name: string) =>
  api.database.db.query('UPDATE schedules SET next_due_at = NULL WHERE name = $1', [name]);

describe('a new schedule', () => {
  test('is as its caller asked for it, with defaults filled in', async () => {
    const schedule = await client.schedules.create(request({ name: ' Nightly import ', priority: 'HIGH' }));
    expect(schedule).toMatchObject({
      id: expect.stringMatching(/^sch_/),
      name: 'Nightly import',
      kind: 'PRODUCT_IMPORT',
      input: { source: { uploadId }, format: 'AUTO', dryRun: false },
      priority: 'HIGH',
      timing: {
        cron: '30 2 * * *',
        timeZone: 'Europe/Berlin',
        everySeconds: null,
        runAt: null,
        description: 'Every day at 02:30, Europe/Berlin',
      },
      state: 'ACTIVE',
      paused: false,
      lastRunAt: null,
      lastError: null,
      lastJob: null,
      createdBy: expect.stringMatching(/^manual:member-/),
    });
    const details = await client.schedules.get(schedule.id, { nextRuns: 20 });
    expect(details?.nextRuns).toHaveLength(20);
    expect(details?.nextRuns[0]).toBe(schedule.nextRunAt);
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' });
    for (const run of details?.nextRuns ?? [])
      expect(['02:30', '03:00']).toContain(clock.format(new Date(run)));
  });

  test("goes by the organization's time zone when no other is given", async () => {
    const timing = { cron: { expression: '@weekly' } };
    const { timing: shown } = await client.schedules.create(request({ timing }));
    expect(shown).toMatchObject({
      timeZone: api.organization.timeZone,
      description: `Every Sunday at 00:00, ${api.organization.timeZone}`,
    });
  });

  test('may be due every so many seconds, from now', async () => {
    const before = Date.now();
    const schedule = await client.schedules.create(request({ timing: { every: { seconds: 90 } } }));
    expect(schedule.timing).toMatchObject({ cron: null, everySeconds: 90, description: 'Every 90 seconds' });
    const details = await client.schedules.get(schedule.id);
    const [first = 0, second = 0] = details?.nextRuns.map((run) => new Date(run).getTime()) ?? [];
    expect(first).toBeGreaterThanOrEqual(before + 89_000);
    expect(second - first).toBe(90_000);
  });

  test('may be due once', async () => {
    const at = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000).toISOString();
    const schedule = await client.schedules.create(request({ timing: { once: { at } } }));
    expect(schedule).toMatchObject({ nextRunAt: at, timing: { runAt: at }, state: 'ACTIVE' });
    expect((await client.schedules.get(schedule.id))?.nextRuns).toEqual([at]);
  });

  test('is refused with all that is wrong, each by its path, and nothing is written', async () => {
    const before = await scheduleCount();
    const mapping = [{ column: '', field: 'title' }];
    const errors = await errorsOf(
      client.schedules.create({
        name: '  ',
        timing: { cron: { expression: '* * * * * *', timeZone: 'Europe/Berlin' } },
        job: { productImport: { source: { uploadId }, mapping } },
      }),
    );
    expect(errors).toEqual([
      { code: 'INVALID', field: ['input', 'name'], message: 'Expected a name.' },
      {
        code: 'INVALID',
        field: ['input', 'timing', 'cron', 'expression'],
        message: expect.stringContaining('seconds and years are not taken'),
      },
      {
        code: 'INVALID',
        field: ['input', 'job', 'productImport', 'mapping', '0', 'column'],
        message: expect.any(String),
      },
    ]);
    expect(await scheduleCount()).toBe(before);
  });

  test.each([
    [{ cron: { expression: '0 0 31 2 *' } }, ['cron', 'expression']],
    [{ cron: { expression: '0 0 * * *', timeZone: 'Mars/Olympus' } }, ['cron', 'timeZone']],
    [{ every: { seconds: 9 } }, ['every', 'seconds']],
    [{ once: { at: '2020-01-01T00:00:00Z' } }, ['once', 'at']],
  ])('is refused with the timing %j', async (timing, field) => {
    expect(await errorsOf(client.schedules.create(request({ timing })))).toMatchObject([
      { code: 'INVALID', field: ['input', 'timing', ...field] },
    ]);
  });

  test('takes exactly one timing and one kind of job', async () => {
    const CREATE =
      'mutation ($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } } }';
    for (const more of [
      { timing: { ...NIGHTLY, every: { seconds: 60 } } },
      { timing: {} },
      { job: {} },
      { job: { productImport: null } },
    ]) {
      const { data, errors } = await api.ask(CREATE, { input: request(more) });
      expect(data).toBeNull();
      expect(errors).toHaveLength(1);
    }
  });

  test('names no upload that is unknown or holds nothing yet', async () => {
    const empty = await client.uploads.create({ filename: 'a.csv', contentType: 'text/csv' });
    for (const [id, code] of [
      ['upl_01h455vb4pex5vsknk084sn02q', 'NOT_FOUND'],
      ['nonsense', 'NOT_FOUND'],
      [empty.id, 'INVALID'],
    ]) {
      const job = { productImport: { source: { uploadId: id } } };
      expect(await errorsOf(client.schedules.create(request({ job })))).toMatchObject([
        { code, field: ['input', 'job', 'productImport', 'source', 'uploadId'] },
      ]);
    }
  });

  test('has a name of its own', async () => {
    const first = await client.schedules.create(request());
    const taken = [{ code: 'CONFLICT', field: ['input', 'name'] }];
    expect(await errorsOf(client.schedules.create(request({ name: first.name })))).toMatchObject(taken);
    const other = await client.schedules.create(request());
    expect(await errorsOf(client.schedules.update(other.id, { name: first.name }))).toMatchObject(taken);
    expect((await client.schedules.update(first.id, { name: first.name })).name).toBe(first.name);
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, () => client.schedules.create(request({ name: 'all at once' }))),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a schedule that is changed', () => {
  test('keeps what is not given', async () => {
    const before = await client.schedules.create(request());
    const after = await client.schedules.update(before.id, { timing: { every: { seconds: 3_600 } } });
    expect(after).toMatchObject({
      name: before.name,
      input: before.input,
      timing: { cron: null, timeZone: null, everySeconds: 3_600 },
    });
    const again = await client.schedules.update(before.id, {
      name: 'changed',
      priority: 'LOW',
      job: { productImport: { source: { uploadId }, dryRun: true } },
    });
    expect(again).toMatchObject({
      name: 'changed',
      priority: 'LOW',
      input: { dryRun: true },
      timing: after.timing,
      nextRunAt: after.nextRunAt,
    });
  });

  test('is refused as a new one would be, and stays as it was', async () => {
    const before = await client.schedules.create(request());
    const errors = await errorsOf(
      client.schedules.update(before.id, { name: 'x'.repeat(101), timing: { every: { seconds: 1 } } }),
    );
    expect(errors.map(({ field }) => field)).toEqual([
      ['input', 'name'],
      ['input', 'timing', 'every', 'seconds'],
    ]);
    expect(await client.schedules.get(before.id)).toMatchObject(before);
  });

  test('has nothing to come while it is paused, and comes again when it is resumed', async () => {
    const { id, nextRunAt } = await client.schedules.create(request());
    const paused = await client.schedules.pause(id);
    expect(paused).toMatchObject({ state: 'PAUSED', paused: true, nextRunAt: null });
    expect(await client.schedules.pause(id)).toEqual(paused);
    expect((await client.schedules.get(id))?.nextRuns).toEqual([]);
    const moved = await client.schedules.update(id, { timing: { every: { seconds: 60 } } });
    expect(moved).toMatchObject({ state: 'PAUSED', nextRunAt: null });
    await client.schedules.update(id, { timing: NIGHTLY });
    expect(await client.schedules.resume(id)).toMatchObject({ state: 'ACTIVE', paused: false, nextRunAt });
    expect(await client.schedules.resume(id)).toMatchObject({ state: 'ACTIVE', nextRunAt });
  });

  test('cannot go on when its only time passed during the pause', async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const { id, name } = await client.schedules.create(request({ timing: { once: { at } } }));
    await client.schedules.pause(id);
    await api.database.db.query(
      "UPDATE schedules SET once_at = now() - interval '1 second' WHERE name = $1",
      [name],
    );
    expect(await errorsOf(client.schedules.resume(id))).toMatchObject([{ code: 'CONFLICT', field: ['id'] }]);
    expect((await client.schedules.get(id))?.state).toBe('PAUSED');
  });

  test('that is finished comes back with another timing', async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const { id, name } = await client.schedules.create(request({ timing: { once: { at } } }));
    await finish(name);
    expect(await client.schedules.get(id)).toMatchObject({
      state: 'FINISHED',
      nextRunAt: null,
      nextRuns: [],
    });
    expect(await errorsOf(client.schedules.pause(id))).toMatchObject([{ code: 'CONFLICT' }]);
    expect(await client.schedules.update(id, { timing: NIGHTLY })).toMatchObject({ state: 'ACTIVE' });
  });

  test('is gone once it is deleted, and its jobs stay', async () => {
    const { id, name } = await client.schedules.create(request());
    const { job } = await client.schedules.runNow(id);
    await client.schedules.delete(id);
    expect(await client.schedules.get(id)).toBeNull();
    expect((await client.schedules.list({ first: 100 })).edges.map(({ node }) => node.id)).not.toContain(id);
    const gone = [{ code: 'NOT_FOUND', field: ['id'] }];
    expect(await errorsOf(client.schedules.delete(id))).toMatchObject(gone);
    expect(await errorsOf(client.schedules.runNow(id))).toMatchObject(gone);
    expect(await errorsOf(client.schedules.resume(id))).toMatchObject(gone);
    expect(await client.jobs.get(job.id)).toMatchObject({ id: job.id });
    expect((await client.schedules.create(request({ name }))).id).not.toBe(id);
  });

  test('by a viewer is forbidden', async () => {
    const { id } = await client.schedules.create(request());
    const { errors } = await api.ask(
      'mutation ($id: ID!) { pauseSchedule(id: $id) { schedule { id } } }',
      { id },
      'viewer',
    );
    expect(errors[0]?.extensions['code']).toBe('FORBIDDEN');
  });
});

describe('running a schedule now', () => {
  test('starts its job in the name of who asks, and leaves its next time alone', async () => {
    const { id, nextRunAt } = await client.schedules.create(request({ priority: 'LOW' }));
    const { job, replayed } = await client.schedules.runNow(id);
    expect(replayed).toBe(false);
    expect(job).toMatchObject({
      kind: 'PRODUCT_IMPORT',
      input: { source: { uploadId } },
      triggeredBy: expect.stringMatching(/^manual:member-/),
    });
    const second = await client.schedules.runNow(id);
    expect(await client.schedules.get(id)).toMatchObject({ nextRunAt, lastJob: { id: second.job.id } });
    const page = await client.schedules.jobs({ id, first: 1 });
    expect(page).toMatchObject({
      totalCount: 2,
      pageInfo: { hasNextPage: true },
      edges: [{ node: { id: second.job.id, scheduledFor: null } }],
    });
    const next = await client.schedules.jobs({ id, first: 1, after: page?.pageInfo.endCursor ?? null });
    expect(next?.edges.map(({ node }) => node.id)).toEqual([job.id]);
  });

  test('of a source that is gone is told of the schedule', async () => {
    const own = await client.uploadFile(Buffer.from('Handle,Title\n'), 'b.csv');
    const job = { productImport: { source: { uploadId: own } } };
    const { id } = await client.schedules.create(request({ job }));
    await api.database.db.query('DELETE FROM schedule_uploads');
    await api.database.db.query(`UPDATE uploads SET expires_at = now() WHERE filename = 'b.csv'`);
    expect(await errorsOf(client.schedules.runNow(id))).toMatchObject([{ code: 'EXPIRED', field: ['id'] }]);
  });
});

describe('the list of schedules', () => {
  test('comes in pages and by state and kind', async () => {
    const { id } = await client.schedules.create(request());
    await client.schedules.pause(id);
    const all: string[] = [];
    let after: string | null = null;
    do {
      const { edges, pageInfo } = await client.schedules.list({ first: 3, after });
      all.push(...edges.map(({ node }) => node.id));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(await scheduleCount());
    const paused = await client.schedules.list({ filter: { states: ['PAUSED'] } });
    expect(paused.edges.map(({ node }) => node.id)).toContain(id);
    expect(paused.edges.every(({ node }) => node.paused)).toBe(true);
    const counts = await Promise.all(
      (['ACTIVE', 'PAUSED', 'FINISHED'] as const).map(
        async (state) => (await client.schedules.list({ filter: { states: [state] } })).totalCount,
      ),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length);
    expect((await client.schedules.list({ filter: { states: [] } })).totalCount).toBe(0);
    const imports = await client.schedules.list({ filter: { kinds: ['PRODUCT_IMPORT'] } });
    expect(imports.totalCount).toBe(all.length);
  });

  test('costs as many statements for many schedules as for two', async () => {
    const LIST = `query ($first: Int!) { schedules(first: $first) { totalCount edges { node {
      id name kind input state timing { description } nextRuns(first: 3) nextRunAt lastError
      lastJob { id status } jobs(first: 2) { totalCount edges { node { id status scheduledFor } } } } } } }`;
    await api.database.db.query(
      `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts,
                         schedule_id, scheduled_for)
       SELECT gen_random_uuid(), organization_id, kind, 1, 'default', '{}', '\\x00', 'schedule:x', 1, id,
              now() - make_interval(secs => n)
       FROM schedules, generate_series(1, 4) AS n WHERE deleted_at IS NULL`,
    );
    const asking = async (first: number) => {
      const statements = await readsDuring(async () => {
        const { errors } = await api.ask(LIST, { first });
        expect(errors).toEqual([]);
      });
      // Beside them: who is asking, the process' own checks, and deliveries that earlier tests started.
      return statements.filter((text) => /^SELECT[^]*(schedules|jobs|wanted)/.test(text));
    };
    const few = await asking(2);
    const many = await asking(100);
    expect(many.length, [...few, '---', ...many].join('\n')).toBe(few.length);
    expect(many.length).toBeGreaterThan(4);
    expect(many.length).toBeLessThanOrEqual(10);
  });

  test.each([0, 21])('refuses to tell the next %i runs', async (nextRuns) => {
    const { id } = await client.schedules.create(request());
    const { errors } = await api.ask(
      'query ($id: ID!, $n: Int!) { schedule(id: $id) { nextRuns(first: $n) } }',
      { id, n: nextRuns },
    );
    expect(errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', argument: ['first'] } });
  });

  test('ends at 1,000: then LIMIT_REACHED, until one is deleted', async () => {
    await api.database.db.query(
      `INSERT INTO schedules (id, organization_id, name, kind, version, input, every_seconds, created_by)
       SELECT gen_random_uuid(), $1, 'filler ' || n, 'product_import', 1, '{}', 60, 'api:test'
       FROM generate_series(1, $2) AS n`,
      [api.organization.id, 1_000 - (await scheduleCount())],
    );
    expect(await errorsOf(client.schedules.create(request()))).toMatchObject([{ code: 'LIMIT_REACHED' }]);
    const { edges } = await client.schedules.list({ first: 1 });
    await client.schedules.delete(edges[0]?.node.id ?? '');
    await client.schedules.create(request());
    expect(await scheduleCount()).toBe(1_000);
  });
});

test('a schedule of a kind that this release does not know is still shown and can be deleted', async () => {
  const { rows } = await api.database.db.query<{ name: string }>(
    `UPDATE schedules SET kind = 'of_yesterday' WHERE id = (SELECT id FROM schedules WHERE deleted_at IS NULL ORDER BY id LIMIT 1)
     RETURNING name`,
  );
  const { edges } = await client.schedules.list({ first: 100 });
  const mine = edges.find(({ node }) => node.name === rows[0]?.name)?.node;
  expect(mine).toMatchObject({ kind: null });
  expect(await errorsOf(client.schedules.runNow(mine?.id ?? ''))).toMatchObject([{ code: 'UNAVAILABLE' }]);
  await client.schedules.delete(mine?.id ?? '');
});

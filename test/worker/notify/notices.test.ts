import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobFailure } from '../../../src/domain/errors.ts';
import { startJob } from '../../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../../support/engine.ts';
import { settled } from '../../support/jobs.ts';
import { testCatalogue, testHandlers, type Script } from '../../support/kinds.ts';
import { createPerson, type TestPerson } from '../../support/people.ts';
import { waitFor } from '../../support/wait.ts';

const fail: Script = () => Promise.reject(JobFailure.permanent('INVALID_FILE', 'This is no CSV.'));
const warn: Script = async (ctx) => {
  await ctx.transaction(async (tx) => tx.count({ processed: 3, succeeded: 2, failed: 1 }));
  return 'done';
};

describe.each(BROKERS)('the end of a job, with deliveries on %s', (broker) => {
  const scripts: Record<string, Script> = { fail, warn, fine: async () => 'done' };
  let engine: Engine;
  let admin: TestPerson;
  let member: TestPerson;
  beforeAll(async () => {
    engine = await startEngine({ broker, catalogue: testCatalogue, handlers: testHandlers(scripts) });
    admin = await createPerson(engine.database.db, engine.organization.id, 'admin');
    member = await createPerson(engine.database.db, engine.organization.id, 'member');
    await createPerson(engine.database.db, engine.organization.id, 'admin').then(async ({ id }) => {
      // Somebody who wants to hear nothing.
      await engine.database.db.query(
        `INSERT INTO notification_preferences (organization_id, user_id, type, job_kind, channel, enabled)
         SELECT $1, $2, type, '*', channel, false
         FROM unnest(ARRAY['job_failed', 'job_completed_with_warnings']::notification_type[]) AS type,
              unnest(enum_range(NULL::notification_channel)) AS channel`,
        [engine.organization.id, id],
      );
    });
    // Two look at the same jobs.
    await Promise.all([engine.startWorker(), engine.startWorker()]);
  });
  afterAll(() => engine.close());

  const start = async (script: string, triggeredBy = 'api:test', parentId?: string): Promise<string> => {
    const { jobId } = await startJob(engine.jobs, {
      organizationId: engine.organization.id,
      kind: 'scripted',
      input: { script },
      triggeredBy,
      ...(parentId ? { parentId } : {}),
    });
    return jobId;
  };
  const noticesOf = async (jobId: string) => {
    const { rows } = await engine.database.db.query<{
      id: string;
      recipient_id: string;
      title: string;
      body: string;
    }>(
      'SELECT id, recipient_id, title, body, type::text, in_app, email FROM notifications WHERE job_id = $1',
      [jobId],
    );
    return rows;
  };
  const told = (jobId: string) =>
    waitFor(async () => {
      const rows = await noticesOf(jobId);
      return rows.length > 0 ? rows : null;
    });
  /** Nobody was told of `jobId`, although a job that ended after it was told of. */
  const expectSilence = async (jobId: string): Promise<void> => {
    await settled(engine.database.db, jobId);
    const later = await start('fail');
    await told(later);
    expect(await noticesOf(jobId)).toEqual([]);
  };

  it('that failed is told to admins, to the one who started it, and to the organization, once each', async () => {
    const jobId = await start('fail', `manual:${member.email}`);
    const notices = await told(jobId);
    expect(notices.map((notice) => notice.recipient_id).sort()).toEqual(
      [admin.id, member.id, engine.organization.id].sort(),
    );
    expect(notices[0]).toMatchObject({
      type: 'job_failed',
      title: '“Scripted” failed',
      body: 'This is no CSV.',
    });
  });

  it('with warnings is told with its counts', async () => {
    const jobId = await start('warn');
    const notices = await told(jobId);
    expect(notices.map((notice) => notice.recipient_id).sort()).toEqual(
      [admin.id, engine.organization.id].sort(),
    );
    expect(notices[0]).toMatchObject({
      type: 'job_completed_with_warnings',
      body: '2 succeeded, 1 failed.',
      in_app: true,
      email: false,
    });
  });

  it('is hinted at on the bus once it can be read', async () => {
    const heard: string[] = [];
    const stop = engine.jobs.bus.on('notification', admin.id, (delivery) => {
      if (delivery.type === 'message') heard.push(delivery.message.notificationId);
    });
    const notices = await told(await start('fail'));
    const { id } = notices.find(({ recipient_id: recipient }) => recipient === admin.id) ?? {};
    await waitFor(() => heard.some((heardId) => heardId === id));
    stop();
  });

  it('that went well is told to nobody', async () => {
    await expectSilence(await start('fine'));
  });

  it('that was a child’s is its parent’s business', async () => {
    const parent = await start('fine');
    await settled(engine.database.db, parent);
    await expectSilence(await start('fail', 'job:parent', parent));
  });

  it('that was cancelled is told to nobody', async () => {
    const { rows } = await engine.database.db.query<{ id: string }>(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts, completed_at)
       VALUES (gen_random_uuid(), $1, 'scripted', 1, 'cancelled', 'default', '{}', '\\x00', 'api:test', 1, now()) RETURNING id`,
      [engine.organization.id],
    );
    await expectSilence(rows[0]?.id ?? '');
  });

  it('is told although the worker died right after it had settled the job', async () => {
    const { rows } = await engine.database.db.query<{ id: string }>(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts, completed_at)
       VALUES (gen_random_uuid(), $1, 'scripted', 1, 'failed', 'default', '{}', '\\x00', 'api:test', 1, now() - interval '1 hour') RETURNING id`,
      [engine.organization.id],
    );
    const notices = await told(rows[0]?.id ?? '');
    expect(notices).toHaveLength(2);
  });
});

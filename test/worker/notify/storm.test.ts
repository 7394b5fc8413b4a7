import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../../src/domain/ids.ts';
import { createEndpoint } from '../../../src/notify/webhook-endpoints.ts';
import { loadMasterSecret, openCipher } from '../../../src/secrets/index.ts';
import { systemCatalogue } from '../../../src/jobs/index.ts';
import { BROKERS, startEngine, type Engine } from '../../support/engine.ts';
import { testCatalogue, testHandlers } from '../../support/kinds.ts';
import { startMailServer, type MailServer } from '../../support/mail-server.ts';
import { createPerson, type TestPerson } from '../../support/people.ts';
import { waitFor } from '../../support/wait.ts';
import { startReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';

const JOBS = 500;
/** Longer than it takes to tell of all of them */
const WINDOW_MS = 6_000;

describe.each(BROKERS)('500 jobs that fail at once, with deliveries on %s', (broker) => {
  let engine: Engine;
  let mail: MailServer;
  let receiver: WebhookReceiver;
  let admin: TestPerson;
  beforeAll(async () => {
    [mail, receiver] = await Promise.all([startMailServer(), startReceiver()]);
    engine = await startEngine({
      broker,
      catalogue: testCatalogue,
      handlers: testHandlers(),
      environment: { SMTP_URL: mail.url, MAIL_FROM: 'Millrace <millrace@example.com>' },
      noticeLimits: { individualMax: 20, windowMs: WINDOW_MS },
    });
    const { db } = engine.database;
    admin = await createPerson(db, engine.organization.id, 'admin');
    const cipher = openCipher(await loadMasterSecret(engine.config), []);
    await createEndpoint(
      { db, cipher, outbound: engine.config.outbound, catalogue: systemCatalogue },
      { organizationId: engine.organization.id, createdBy: 'manual:test' },
      { url: receiver.url, description: '', eventTypes: ['job.failed'] },
    );
    await db.query(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts,
                         error_message, completed_at)
       SELECT gen_random_uuid(), $1, CASE WHEN n % 5 = 0 THEN 'cached' ELSE 'scripted' END, 1, 'failed', 'default', '{}',
              '\\x00', 'api:test', 1, 'Broken.', now() FROM generate_series(1, $2::int) AS n`,
      [engine.organization.id, JOBS],
    );
    await Promise.all([engine.startWorker(), engine.startWorker()]);
  });
  afterAll(async () => {
    await engine.close();
    await Promise.all([mail.close(), receiver.close()]);
  });

  it('become twenty notices and one digest for each recipient, which counts all the others', async () => {
    const { db } = engine.database;
    await waitFor(async () => {
      const { rows } = await db.query(
        `SELECT 1 FROM jobs WHERE status = 'failed' AND NOT internal AND notified_at IS NULL LIMIT 1`,
      );
      return rows.length === 0;
    });
    const { rows } = await db.query(
      `SELECT recipient_id, count(*) FILTER (WHERE type = 'job_failed')::int AS single,
              count(*) FILTER (WHERE type = 'digest')::int AS digests,
              sum((digest_kinds #>> '{scripted,failed}')::int)::int AS scripted,
              sum((digest_kinds #>> '{cached,failed}')::int)::int AS cached
       FROM notifications GROUP BY recipient_id`,
    );
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toMatchObject({ single: 20, digests: 1 });
      expect(Number(row['scripted']) + Number(row['cached'])).toBe(JOBS - 20);
    }
  });

  it('send twenty mails and one digest when the window is over', async () => {
    await waitFor(() => mail.mails.some(({ source }) => source.includes('in a short time')), {
      timeoutMs: 25_000,
    });
    expect(mail.mails).toHaveLength(21);
    expect(mail.mails.every(({ to }) => to.includes(admin.email))).toBe(true);
    const digest = mail.mails.find(({ source }) => source.includes('in a short time'));
    expect(digest?.source).toContain('480 jobs failed');
  });

  it('send twenty webhooks and one digest', async () => {
    const types = () => receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
    await waitFor(() => types().includes('notifications.digest'), { timeoutMs: 25_000 });
    expect(types().filter((type) => type === 'job.failed')).toHaveLength(20);
    expect(types()).toHaveLength(21);
    const digest = receiver.received.find(({ body }) => body.includes('notifications.digest'));
    expect(JSON.parse(digest?.body ?? '')).toMatchObject({
      data: { failed: 480, completedWithWarnings: 0, kinds: expect.arrayContaining([expect.anything()]) },
    });
  });

  it('leave room for single notices once the storm is over', async () => {
    const id = newUuid();
    await engine.database.db.query(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts, completed_at)
       VALUES ($1, $2, 'scripted', 1, 'failed', 'default', '{}', '\\x00', 'api:test', 1, now())`,
      [id, engine.organization.id],
    );
    await waitFor(async () => {
      const { rows } = await engine.database.db.query('SELECT 1 FROM notifications WHERE job_id = $1', [id]);
      return rows.length === 2;
    });
  });
});

import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobFailure } from '../../../src/domain/errors.ts';
import { createLog } from '../../../src/lib/log.ts';
import { openMailer } from '../../../src/notify/mailer.ts';
import { startJob } from '../../../src/queue/start.ts';
import { BROKERS, startEngine, type Engine } from '../../support/engine.ts';
import { testCatalogue, testHandlers } from '../../support/kinds.ts';
import { startMailServer, type MailServer } from '../../support/mail-server.ts';
import { createPerson, type TestPerson } from '../../support/people.ts';
import { waitFor } from '../../support/wait.ts';

const scripts = {
  fail: () => Promise.reject(JobFailure.permanent('INVALID_FILE', 'Row 3: <b>"x" & \'y\'</b> is no price.')),
};

describe.each(BROKERS)('a mail, with deliveries on %s', (broker) => {
  let engine: Engine;
  let mail: MailServer;
  let admin: TestPerson;
  beforeAll(async () => {
    mail = await startMailServer();
    engine = await startEngine({
      broker,
      catalogue: testCatalogue,
      handlers: testHandlers(scripts),
      environment: {
        SMTP_URL: mail.url,
        MAIL_FROM: 'Millrace <millrace@example.com>',
        PUBLIC_URL: 'https://millrace.example',
      },
    });
    admin = await createPerson(engine.database.db, engine.organization.id, 'admin');
    await Promise.all([engine.startWorker(), engine.startWorker()]);
  });
  afterAll(async () => {
    await engine.close();
    await mail.close();
  });

  const startFailing = async (triggeredBy = 'api:test'): Promise<string> => {
    const { jobId } = await startJob(engine.jobs, {
      organizationId: engine.organization.id,
      kind: 'scripted',
      input: { script: 'fail' },
      triggeredBy,
    });
    return jobId;
  };
  const carrierOf = (jobId: string) =>
    waitFor(async () => {
      const { rows } = await engine.database.db.query<{
        id: string;
        status: string;
        attempt: number;
        error_code: string;
      }>(
        `SELECT j.id, j.status, j.attempt, j.error_code FROM jobs j JOIN notifications n ON j.input ->> 'notificationId' = n.id::text
         WHERE n.job_id = $1 AND j.kind = 'email_delivery'`,
        [jobId],
      );
      return rows[0];
    });

  it('about a failed job reaches each recipient once, an admin who started it too', async () => {
    const jobId = await startFailing(`manual:${admin.email}`);
    await waitFor(async () => (await carrierOf(jobId)).status === 'completed');
    expect(mail.mails).toHaveLength(1);
    const [received] = mail.mails;
    expect(received).toMatchObject({ from: 'millrace@example.com', to: [admin.email] });
    // Quoted-printable: "=" and soft line ends are its own.
    const source = (received?.source ?? '').replaceAll('=\r\n', '');
    expect(source).toContain('https://millrace.example/jobs/job_');
    expect(source).toMatch(/Message-ID: <ntf_\w+@example\.com>/i);
    expect(source).toContain('Auto-Submitted: auto-generated');
    expect(source).toContain('&lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/b&gt;');
  });

  it('that went out is not sent again when its job runs once more', async () => {
    const before = mail.mails.length;
    const jobId = await startFailing();
    const carrier = await waitFor(async () => {
      const found = await carrierOf(jobId);
      return found.status === 'completed' ? found : null;
    });
    await engine.database.db.query(
      `UPDATE jobs SET status = 'pending', completed_at = NULL, due_at = now(), result = NULL WHERE id = $1`,
      [carrier.id],
    );
    await waitFor(
      async () => (await carrierOf(jobId)).status === 'completed' && (await carrierOf(jobId)).attempt === 2,
    );
    expect(mail.mails.length).toBe(before + 1);
  });

  it.each([
    [450, 'pending'],
    [550, 'failed'],
  ])('that is refused with %i leaves its job %s, and nobody is told of that', async (code, status) => {
    const before = mail.mails.length;
    mail.refuseWith = code;
    const jobId = await startFailing();
    const carrier = await waitFor(async () => {
      const found = await carrierOf(jobId);
      return found.error_code !== null && found.status === status ? found : null;
    });
    mail.refuseWith = null;
    const later = await startFailing();
    await waitFor(async () => (await carrierOf(later)).status === 'completed');
    const { rows } = await engine.database.db.query('SELECT 1 FROM notifications WHERE job_id = $1', [
      carrier.id,
    ]);
    expect(rows).toEqual([]);
    expect(mail.mails.length).toBe(before + 1);
  });

  it('is not planned for somebody who wants none', async () => {
    const { db } = engine.database;
    await db.query(
      `INSERT INTO notification_preferences (organization_id, user_id, type, job_kind, channel, enabled)
       VALUES ($1, $2, 'job_failed', 'scripted', 'email', false)`,
      [engine.organization.id, admin.id],
    );
    const jobId = await startFailing();
    const { rows } = await waitFor(async () => {
      const found = await db.query(
        'SELECT email, in_app FROM notifications WHERE job_id = $1 AND user_id = $2',
        [jobId, admin.id],
      );
      return found.rows.length > 0 ? found : null;
    });
    expect(rows).toEqual([{ email: false, in_app: true }]);
  });
});

describe('a mailer', () => {
  it('tells the password neither in its error nor in the log', async () => {
    await using mail = await startMailServer();
    const url = `smtp://millrace:${encodeURIComponent('s3cret p@ss')}@127.0.0.1:${mail.port}`;
    const mailer = openMailer({ smtpUrl: url, from: 'm@example.com' });
    let logged = '';
    const destination = new Writable({
      write(chunk: Buffer, _encoding, done) {
        logged += chunk.toString();
        done();
      },
    });
    const error: unknown = await mailer
      .send({ to: 'a@example.com', id: 'x', subject: 's', text: 't', html: 'h' })
      .catch((thrown: unknown) => thrown);
    createLog({ level: 'info', process: 'test', destination }).warn({ err: error }, 'no mail');
    expect(error).toMatchObject({ name: 'MailError', permanent: false });
    expect(String(error)).toMatch(/EAUTH/);
    expect(logged).toContain('EAUTH');
    expect(logged + String(error)).not.toMatch(/s3cret|s3cret%20/);
    mailer.close();
  });

  it('takes an address as one address, whatever is in it', async () => {
    await using mail = await startMailServer();
    const mailer = openMailer({ smtpUrl: mail.url, from: 'm@example.com' });
    await mailer
      .send({
        to: 'a@example.com, b@example.com',
        id: 'x',
        subject: 'a\r\nBcc: c@example.com',
        text: 't',
        html: 'h',
      })
      .catch(() => undefined);
    expect(mail.mails.flatMap(({ to }) => to).filter((to) => /^[bc]@/.test(to))).toEqual([]);
    expect(mail.mails.every(({ source }) => !/^Bcc:/im.test(source))).toBe(true);
    mailer.close();
  });
});

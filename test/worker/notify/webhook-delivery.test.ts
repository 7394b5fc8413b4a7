import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobFailure } from '../../../src/domain/errors.ts';
import { systemCatalogue } from '../../../src/jobs/index.ts';
import { redeliver, sendTest } from '../../../src/notify/webhook-deliveries.ts';
import { createEndpoint, rotateSecret, type WebhookDeps } from '../../../src/notify/webhook-endpoints.ts';
import { startJob } from '../../../src/queue/start.ts';
import { setEndpointEnabled } from '../../../src/repositories/webhook-endpoints.ts';
import { failAbandonedDeliveries } from '../../../src/repositories/webhook-deliveries.ts';
import { loadMasterSecret, openCipher } from '../../../src/secrets/index.ts';
import { BROKERS, startEngine, type Engine } from '../../support/engine.ts';
import { settled } from '../../support/jobs.ts';
import { testCatalogue, testHandlers } from '../../support/kinds.ts';
import { waitFor } from '../../support/wait.ts';
import { startReceiver, type WebhookReceiver } from '../../support/webhook-receiver.ts';

interface DeliveryRow {
  readonly id: string;
  readonly status: string;
  readonly response_code: number | null;
  readonly error_message: string | null;
  readonly next_attempt_at: Date | null;
  readonly carrier_job_id: string;
  readonly attempts: number;
}

describe.each(BROKERS)('a webhook, with deliveries on %s', (broker) => {
  let engine: Engine;
  let deps: WebhookDeps;
  let receiver: WebhookReceiver;
  let endpointId: string;
  let secret: string;
  beforeAll(async () => {
    engine = await startEngine({
      broker,
      catalogue: testCatalogue,
      handlers: testHandlers({
        fail: () => Promise.reject(JobFailure.permanent('INVALID_FILE', 'This is no CSV.')),
      }),
      environment: { PUBLIC_URL: 'https://millrace.example' },
    });
    const cipher = openCipher(await loadMasterSecret(engine.config), []);
    deps = { db: engine.database.db, cipher, outbound: engine.config.outbound, catalogue: systemCatalogue };
    await engine.startWorker();
  });
  beforeEach(async () => {
    receiver = await startReceiver();
    const owner = { organizationId: engine.organization.id, createdBy: 'manual:test' };
    const input = { url: receiver.url, description: '', eventTypes: ['job.failed' as const] };
    ({ id: endpointId, secret } = await createEndpoint(deps, owner, input));
  });
  afterEach(async () => {
    await engine.database.db.query('DELETE FROM webhook_endpoints');
    await receiver.close();
  });
  afterAll(() => engine.close());

  const test = (): Promise<string> => sendTest(deps, engine.organization.id, endpointId, new Date());
  const deliveryIn = (id: string, probe: (row: DeliveryRow) => boolean): Promise<DeliveryRow> =>
    waitFor(async () => {
      const { rows } = await engine.database.db.query<DeliveryRow & Record<string, unknown>>(
        `SELECT d.*, (SELECT count(*)::int FROM webhook_attempts a WHERE a.delivery_id = d.id) AS attempts
         FROM webhook_deliveries d WHERE id = $1`,
        [id],
      );
      return rows[0] && probe(rows[0]) ? rows[0] : null;
    });
  const endpoint = async (): Promise<Record<string, unknown>> => {
    const { rows } = await engine.database.db.query('SELECT * FROM webhook_endpoints WHERE id = $1', [
      endpointId,
    ]);
    return rows[0] ?? {};
  };

  it('about a failed job is signed, so that its receiver can verify it', async () => {
    const { jobId } = await startJob(engine.jobs, {
      organizationId: engine.organization.id,
      kind: 'scripted',
      input: { script: 'fail' },
      triggeredBy: 'api:test',
    });
    const { headers, body } = await waitFor(() => receiver.received[0]);
    const payload = new Webhook(secret).verify(body, headers);
    expect(payload).toMatchObject({
      type: 'job.failed',
      data: {
        kind: 'SCRIPTED',
        status: 'FAILED',
        errorCode: 'INVALID_FILE',
        errorMessage: 'This is no CSV.',
        statusUrl: expect.stringMatching(/^https:\/\/millrace\.example\/jobs\/job_/),
      },
    });
    expect(headers['webhook-id']).toMatch(/^evt_/);
    expect(() => new Webhook(secret).verify(body.replace('FAILED', 'COMPLETED'), headers)).toThrow();
    const { rows } = await engine.database.db.query<{ id: string }>(
      'SELECT id FROM webhook_deliveries WHERE job_id = $1',
      [jobId],
    );
    expect(await deliveryIn(rows[0]?.id ?? '', ({ status }) => status === 'delivered')).toMatchObject({
      response_code: 204,
      attempts: 1,
    });
  });

  it('is verified with either secret while one replaces the other, and with the new one afterwards', async () => {
    const organizationId = engine.organization.id;
    const young = await rotateSecret(deps, organizationId, endpointId, 60_000);
    await test();
    const first = await waitFor(() => receiver.received[0]);
    for (const key of [secret, young]) new Webhook(key).verify(first.body, first.headers);

    await engine.database.db.query(
      `UPDATE webhook_endpoints SET previous_secret_expires_at = now() - interval '1 s'`,
    );
    await test();
    const second = await waitFor(() => receiver.received[1]);
    new Webhook(young).verify(second.body, second.headers);
    expect(() => new Webhook(secret).verify(second.body, second.headers)).toThrow();
  });

  it('that fails is tried again after five seconds under the same id', async () => {
    receiver.answer = () => ({ status: receiver.received.length === 1 ? 500 : 200 });
    const id = await test();
    const failed = await deliveryIn(id, ({ attempts }) => attempts === 1);
    expect(failed).toMatchObject({ status: 'pending', response_code: 500 });
    const waitMs = (failed.next_attempt_at?.getTime() ?? 0) - Date.now();
    expect(waitMs).toBeGreaterThan(3_000);
    expect(waitMs).toBeLessThan(5_600);
    await deliveryIn(id, ({ status }) => status === 'delivered');
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(await endpoint()).toMatchObject({ failures: 0, failing_since: null });
  });

  it('waits as long as a busy endpoint asks for', async () => {
    receiver.answer = () => ({ status: 429, headers: { 'retry-after': '3600' } });
    const failed = await deliveryIn(await test(), ({ attempts }) => attempts === 1);
    const waitMs = (failed.next_attempt_at?.getTime() ?? 0) - Date.now();
    expect(waitMs).toBeGreaterThan(3_580_000);
    expect(waitMs).toBeLessThanOrEqual(3_600_000);
    const { rows } = await engine.database.db.query<{ next_attempt_at: Date }>(
      'SELECT next_attempt_at FROM jobs WHERE id = $1 AND next_attempt_at IS NOT NULL',
      [failed.carrier_job_id],
    );
    const next =
      rows[0]?.next_attempt_at ??
      (await waitFor(async () => {
        const again = await engine.database.db.query<{ next_attempt_at: Date | null }>(
          'SELECT next_attempt_at FROM jobs WHERE id = $1',
          [failed.carrier_job_id],
        );
        return again.rows[0]?.next_attempt_at;
      }));
    expect(Math.abs(next.getTime() - (failed.next_attempt_at?.getTime() ?? 0))).toBeLessThan(5_000);
  });

  it('disables an endpoint that says it is gone, and what waits for it fails', async () => {
    receiver.answer = () => ({ status: 410 });
    const id = await test();
    expect(await deliveryIn(id, ({ status }) => status === 'failed')).toMatchObject({ attempts: 1 });
    expect(await endpoint()).toMatchObject({ disabled_reason: 'gone' });
    await expect(test()).rejects.toThrow(/disabled/);
  });

  it('disables an endpoint that has failed for days, and not one that has failed often', async () => {
    receiver.answer = () => ({ status: 500 });
    await engine.database.db.query(
      `UPDATE webhook_endpoints SET failures = 50, failing_since = now() - interval '4 days'`,
    );
    await deliveryIn(await test(), ({ attempts }) => attempts === 1);
    expect(await endpoint()).toMatchObject({ disabled_at: null, failures: 51 });
    await engine.database.db.query(`UPDATE webhook_endpoints SET failing_since = now() - interval '6 days'`);
    await deliveryIn(await test(), ({ attempts }) => attempts === 1);
    expect(await endpoint()).toMatchObject({ disabled_reason: 'failing' });
  });

  it('is not sent to an endpoint that was disabled meanwhile', async () => {
    receiver.answer = () => ({ status: 500 });
    const id = await test();
    const { carrier_job_id: job } = await deliveryIn(id, ({ attempts }) => attempts === 1);
    await setEndpointEnabled(deps.db, engine.organization.id, endpointId, false);
    await waitFor(async () => {
      const { rowCount } = await deps.db.query(
        `UPDATE jobs SET due_at = now() WHERE id = $1 AND status = 'pending'`,
        [job],
      );
      return rowCount === 1;
    });
    expect(await deliveryIn(id, ({ status }) => status === 'failed')).toMatchObject({
      error_message: 'The endpoint is disabled.',
      attempts: 1,
    });
    expect(receiver.received).toHaveLength(1);
  });

  it.each([
    [301, /redirects are not followed/],
    [404, /answered 404/],
  ])('that is answered with %i has failed', async (status, message) => {
    receiver.answer = () => ({ status, headers: { location: receiver.url } });
    const failed = await deliveryIn(await test(), ({ attempts }) => attempts === 1);
    expect(failed).toMatchObject({ status: 'pending', response_code: status });
    expect(failed.error_message).toMatch(message);
    expect(receiver.received).toHaveLength(1);
  });

  it('to nobody has failed, without a word of where it went', async () => {
    await receiver.close();
    const failed = await deliveryIn(await test(), ({ attempts }) => attempts === 1);
    expect(failed).toMatchObject({
      response_code: null,
      error_message: expect.stringMatching(/ECONNREFUSED/),
    });
    receiver = await startReceiver();
  });

  it('can be delivered again once it has ended, with the same id and not twice at once', async () => {
    const { organization } = engine;
    const id = await test();
    await deliveryIn(id, ({ status }) => status === 'delivered');
    await redeliver(deps, organization.id, id);
    await expect(redeliver(deps, organization.id, id)).rejects.toThrow(/under way/);
    await deliveryIn(id, ({ status, attempts }) => status === 'delivered' && attempts === 2);
    const [first, second] = receiver.received;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(second?.body).toBe(first?.body);
  });

  it('whose job ended without a word has failed', async () => {
    receiver.answer = () => ({ status: 500 });
    const id = await test();
    const { carrier_job_id: job } = await deliveryIn(id, ({ attempts }) => attempts === 1);
    await waitFor(async () => {
      const { rowCount } = await deps.db.query(
        `UPDATE jobs SET status = 'failed', completed_at = now(), waiting_for = NULL WHERE id = $1 AND status = 'pending'`,
        [job],
      );
      return rowCount === 1;
    });
    expect(await failAbandonedDeliveries(deps.db, 10)).toBe(1);
    expect(await deliveryIn(id, ({ status }) => status === 'failed')).toMatchObject({
      next_attempt_at: null,
    });
  });

  it('that fails for good tells nobody', async () => {
    receiver.answer = () => ({ status: 410 });
    const { carrier_job_id: job } = await deliveryIn(await test(), ({ status }) => status === 'failed');
    await deps.db.query(`UPDATE jobs SET max_attempts = 1 WHERE id = $1`, [job]);
    receiver.answer = () => ({ status: 500 });
    await setEndpointEnabled(deps.db, engine.organization.id, endpointId, true);
    const { rows } = await deps.db.query<{ id: string }>(
      `INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, max_attempts,
                         internal, completed_at)
       VALUES (gen_random_uuid(), $1, 'webhook_delivery', 1, 'failed', 'internal', '{}', '\\x00', 'system:webhooks', 1, true,
               now() - interval '1 day') RETURNING id`,
      [engine.organization.id],
    );
    const later = await startJob(engine.jobs, {
      organizationId: engine.organization.id,
      kind: 'scripted',
      input: { script: 'fail' },
      triggeredBy: 'api:test',
    });
    await settled(deps.db, later.jobId);
    await waitFor(async () => {
      const told = await deps.db.query('SELECT 1 FROM notifications WHERE job_id = $1', [later.jobId]);
      return told.rows.length > 0;
    });
    const { rows: told } = await deps.db.query(
      'SELECT 1 FROM notifications WHERE job_id = ANY ($1::uuid[])',
      [[job, rows[0]?.id]],
    );
    expect(told).toEqual([]);
  });
});

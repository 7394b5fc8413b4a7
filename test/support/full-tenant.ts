import { canonicalHash } from '../../src/lib/canonical-json.ts';
import type { Database } from '../../src/repositories/db.ts';
import { toPublicId, type IdType } from '../../src/domain/ids.ts';

/** A uuid that SQL makes of a name and a number, the same each time; $1 is the organization, as text. */
const idOf = (name: string, n = 'n'): string =>
  `overlay(overlay(md5($1::text || '${name}' || ${n}) placing '7' from 13) placing '8' from 17)::uuid`;

const JOB = `'product_import', 1, 'long_running', '{"source":{"uploadId":"0198c0de-0000-7000-8000-000000000000"}}', '\\x00'`;

/** A job that made figures, as whoever asks for them by default finds it. */
const figuresJob = (kind: string, input: object, result: object): string => `
   INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts, status, result, started_at, completed_at)
   SELECT gen_random_uuid(), $1::uuid, '${kind}', 1, 'default', '${JSON.stringify(input)}', '\\x${canonicalHash(kind, input).toString('hex')}',
          'api:test', 3, 'completed', '${JSON.stringify(result)}', now(), now() FROM numbers`;
const MEASURED = { runs: 1, succeeded: 1, failed: 0, successPercent: 100, wait: null, run: null };

/** A day of the nth account in the rollup of a panel. */
const dayOf = (table: string, columns: string, values: string): string => `
   INSERT INTO ${table} (organization_id, connection_id, day, ${columns})
   SELECT $1::uuid, ${idOf('connection')}, current_date - n % 20, ${values} FROM numbers`;

/** What the nth of everything is made of; n runs from $2 to $3. */
const STATEMENTS: readonly string[] = [
  `INSERT INTO users (id, email, name) SELECT ${idOf('user')}, 'user-' || n || '@' || $1::text, 'User ' || n FROM numbers`,
  `INSERT INTO memberships (organization_id, user_id, role) SELECT $1::uuid, ${idOf('user')}, 'viewer' FROM numbers`,
  `INSERT INTO api_keys (id, organization_id, user_id, name, role, token_hash)
   SELECT ${idOf('key')}, $1::uuid, ${idOf('user')}, 'key ' || n, 'viewer', sha256(($1::text || n)::bytea) FROM numbers`,
  `INSERT INTO schedules (id, organization_id, name, kind, version, input, every_seconds, next_due_at, created_by)
   SELECT ${idOf('schedule')}, $1::uuid, 'schedule ' || n, 'product_import', 1, '{}', 86400, now() + interval '1 day', 'api:test' FROM numbers`,
  `INSERT INTO workers (id, name, kinds, queues, beat_at)
   SELECT ${idOf('worker')}, 'worker ' || n, '{"product_import": 1}', '{long_running,default}', now() + interval '1 hour' FROM numbers`,
  `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts, completed_at, status)
   SELECT ${idOf('parent')}, $1::uuid, ${JOB}, 'api:test', 5, now(), 'completed' FROM numbers`,
  `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts, parent_id,
                     schedule_id, scheduled_for, item_count, count_warned, count_failed, last_seq)
   SELECT ${idOf('job')}, $1::uuid, ${JOB}, 'schedule:x', 5, ${idOf('parent')}, ${idOf('schedule')}, now(), 4, 2, 2, 2 FROM numbers`,
  `INSERT INTO jobs (id, organization_id, kind, version, queue, input, input_hash, triggered_by, max_attempts, parent_id, status, worker_id)
   SELECT ${idOf('child')}, $1::uuid, ${JOB}, 'job:x', 5, ${idOf('job')}, 'running', ${idOf('worker')} FROM numbers`,
  `INSERT INTO job_attempts (job_id, delivery, number, worker) SELECT ${idOf('job')}, d, d, 'worker' FROM numbers, generate_series(1, 2) AS d`,
  `INSERT INTO job_events (job_id, seq, type, attempt, status) SELECT ${idOf('job')}, s, 'status', 1, 'running' FROM numbers, generate_series(1, 2) AS s`,
  `INSERT INTO job_items (job_id, ordinal, code, message, outcome)
   SELECT ${idOf('job')}, o, 'NOT_A_NUMBER', 'x', CASE WHEN o <= 2 THEN 'warned' ELSE 'failed' END::job_item_outcome
   FROM numbers, generate_series(1, 4) AS o`,
  `INSERT INTO stored_files (id, organization_id, job_id, role, filename, content_type, byte_size, sha256, storage_key)
   SELECT ${idOf('file')}, $1::uuid, ${idOf('job')}, 'rejected_rows', 'a.csv', 'text/csv', 1, 'aa', 'key' FROM numbers`,
  `INSERT INTO products (id, organization_id, handle, title, status, tags, option_names, search_text)
   SELECT ${idOf('product')}, $1::uuid, 'h' || n, 'T', 'active', '{new}', '{Size}', 't' FROM numbers`,
  `INSERT INTO product_variants (id, organization_id, product_id, variant_key, option_values)
   SELECT ${idOf('variant', "n || '-' || v")}, $1::uuid, ${idOf('product')}, 'sku:' || v, '{L}' FROM numbers, generate_series(1, 3) AS v`,
  `INSERT INTO product_images (organization_id, product_id, url) SELECT $1::uuid, ${idOf('product')}, 'https://img.example/a' FROM numbers`,
  `INSERT INTO notifications (id, organization_id, recipient_id, user_id, type, job_id, title, body, in_app, email)
   SELECT ${idOf('notice')}, $1::uuid, $4, $4, 'job_failed', ${idOf('job')}, 'T', 'B', true, false FROM numbers`,
  `INSERT INTO notifications (id, organization_id, recipient_id, user_id, type, title, body, in_app, email, digest_kinds, closes_at, sent_at)
   SELECT ${idOf('digest')}, $1::uuid, $4, $4, 'digest', 'T', 'B', true, false,
          '{"product_import": {"failed": 1, "warned": 0}}', now(), now() FROM numbers`,
  `INSERT INTO webhook_endpoints (id, organization_id, url, description, event_types, secret, created_by)
   SELECT ${idOf('endpoint')}, $1::uuid, 'https://hooks.example.com/', '', '{job.failed}', 'x', 'api:test' FROM numbers`,
  `INSERT INTO webhook_deliveries (id, organization_id, endpoint_id, event_id, event_type, payload, status, carrier_job_id)
   SELECT ${idOf('delivery', "n || '-' || d")}, $1::uuid, ${idOf('endpoint')}, gen_random_uuid(), 'test', '{}', 'failed', gen_random_uuid()
   FROM numbers, generate_series(1, 3) AS d`,
  `INSERT INTO agent_runs (organization_id, run_key, agent, at, day, succeeded, duration_ms, tokens, cost, currency, recorded_by)
   SELECT $1::uuid, 'run ' || n, 'agent ' || n, now(), current_date, true, 100, 10, 1, 'EUR', 'api:test' FROM numbers`,
  `INSERT INTO agent_days (organization_id, day, agent, currency, runs, succeeded, tokens, cost, durations)
   SELECT $1::uuid, current_date, 'agent ' || n, 'EUR', 1, 1, 10, 1, '{"27": 1}' FROM numbers`,
  `INSERT INTO activities (id, organization_id, actor, action, is_audit, succeeded, summary)
   SELECT ${idOf('activity')}, $1::uuid, 'api:test', 'cancelJob', true, true, 'Cancel job' FROM numbers`,
  `INSERT INTO webhook_attempts (delivery_id, number, duration_ms, response_code)
   SELECT ${idOf('delivery', "n || '-' || d")}, 1, 5, 500 FROM numbers, generate_series(1, 3) AS d`,
  `INSERT INTO connections (id, organization_id, provider, account_key, label, config, created_by, credentials, synced_at)
   SELECT ${idOf('connection')}, $1::uuid, 'test', n::text, 'Account ' || n, '{}', 'api:test', 'x', now() FROM numbers`,
  `INSERT INTO connection_cursors (organization_id, connection_id, entity, feeds, synced_at)
   SELECT $1::uuid, ${idOf('connection')}, feed, feed, now()
   FROM numbers, unnest('{revenue,traffic,ads,social,email,support}'::text[]) AS feed`,
  dayOf('revenue_days', 'currency, channel, gross, refunds, orders', `'EUR', 'web', 10, 1, 1`),
  dayOf(
    'product_revenue_days',
    'currency, product_key, product, gross, refunds, units, orders',
    `'EUR', 'mug', 'Mug', 10, 1, 2, 1`,
  ),
  dayOf(
    'traffic_days',
    'window_days, channel, sessions, pageviews, engaged_sessions, users, new_users',
    `1, '', 3, 9, 2, 2, 1`,
  ),
  dayOf(
    'ads_days',
    'account, campaign_key, campaign, currency, spend, impressions, clicks, conversions, value',
    `'a', 'c', 'Summer', 'EUR', 5, 100, 10, 1, 20`,
  ),
  dayOf(
    'social_days',
    'network, account_key, account, followers, impressions, engagements',
    `'facebook', 'a', 'Page', 7, 5, 2`,
  ),
  dayOf(
    'email_days',
    'campaign_key, campaign, sent, opens, clicks, unsubscribes, bounces',
    `'c', 'Hello', 9, 4, 2, 1, 0`,
  ),
  dayOf(
    'support_days',
    'channel, opened, solved, good, bad, first_replies',
    `'mail', 2, 1, 1, 0, '{"9": 1}'`,
  ),
  `INSERT INTO pipeline_days (organization_id, day, kind, completed, warned, failed, cancelled, waits, runs)
   SELECT $1::uuid, current_date - n, 'product_import', 1, 0, 0, 0, '{"4": 1}', '{"4": 1}' FROM numbers`,
  figuresJob(
    'weekly_growth',
    { weeks: 12 },
    {
      from: '2026-01-05',
      today: '2026-03-25',
      metrics: [
        {
          ...{
            name: 'orders',
            currency: null,
            thisWeek: '1',
            lastWeek: '1',
            soFar: '1',
            sameDaysLastWeek: '1',
          },
          ...{ changePercent: 0, lastWeekChangePercent: 0, slopePerWeek: '0' },
          weeks: [{ from: '2026-01-05', value: '1', isWhole: true }],
        },
      ],
    },
  ),
  figuresJob(
    'performance_metrics',
    {},
    {
      ...{ from: '2026-03-01', to: '2026-03-30', allJobs: MEASURED, syncJobs: MEASURED },
      slowestKinds: [{ kind: 'PRODUCT_IMPORT', ...MEASURED }],
      providers: [{ provider: 'stripe', pages: 1, failures: 0, failurePercent: 0, latency: null }],
    },
  ),
];

/**
 * The `from`th to the `to`th of everything that an organization may have, each with what belongs to it; notifications
 * are those of its admin.
 */
export async function seedFullTenant(
  db: Database,
  organizationId: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const { rows } = await db.query<{ id: string }>(
    "SELECT user_id AS id FROM memberships WHERE organization_id = $1 AND role = 'admin'",
    [organizationId],
  );
  // Each statement names all of the parameters, so that all can be given the same.
  const numbers = `WITH numbers AS (SELECT n FROM generate_series($2::int, $3::int) AS n WHERE $1::text IS NOT NULL AND $4::uuid IS NOT NULL)`;
  for (const text of STATEMENTS) {
    await db.query(`${numbers} ${text}`, [organizationId, from, to, rows[0]?.id]);
  }
}

/** Id of the first one, as clients know it. */
export async function firstOf(
  db: Database,
  organizationId: string,
  type: Extract<IdType, 'job' | 'schedule' | 'product' | 'connection'>,
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(`SELECT ${idOf(type, "'1'")} AS id`, [organizationId]);
  return toPublicId(type, rows[0]?.id ?? '');
}

import pg from 'pg';
import { newUuid } from '../src/domain/ids.ts';
import { PANEL_KEYS, type PanelKey } from '../src/domain/panel.ts';
import { addDays, dateIn, daysOf } from '../src/domain/period.ts';
import { openDatabase, type Database } from '../src/repositories/db.ts';
import { refreshRollups } from '../src/repositories/rollups.ts';
import { TouchedDays } from '../src/repositories/touched-days.ts';
import { silentLog } from '../test/support/log.ts';

/** Two years, so that a year has one before it. */
const DAYS = 730;

/**
 * An organization's facts over two years, from one account per panel, and the rollups that its syncs would have made of
 * them: three quarters are orders, a twentieth refunds and a fifth tickets; ads, traffic, social networks and mailings
 * are told day by day, the same whatever the number.
 * @returns the uuid of each panel's account
 */
export async function seedFacts(
  url: string,
  organizationId: string,
  facts: number,
): Promise<Readonly<Record<PanelKey, string>>> {
  const db = openDatabase({
    url,
    applicationName: 'bench',
    connectionsMax: 2,
    statementTimeoutMs: 3_600_000,
    log: silentLog,
  });
  const accounts = await seedAccounts(db, organizationId);
  const from = addDays(dateIn('UTC', new Date()), 1 - DAYS);
  await insertFacts(url, { organizationId, accounts, from, facts });
  await rollUp(db, { organizationId, accounts, from });
  await db.query('VACUUM (ANALYZE)');
  await db.close();
  return accounts;
}

interface Seed {
  readonly organizationId: string;
  readonly accounts: Readonly<Record<PanelKey, string>>;
  readonly from: string;
  readonly facts: number;
}

/** Read in this hour, and not due before the benchmark has ended. */
async function seedAccounts(db: Database, organizationId: string): Promise<Seed['accounts']> {
  const insert = async (panel: PanelKey): Promise<[PanelKey, string]> => {
    const id = newUuid();
    await db.query(
      `INSERT INTO connections (id, organization_id, provider, account_key, label, config, created_by, sync_every_seconds)
       VALUES ($1, $2, 'bench', $3, $3, '{}', 'api:bench', 86400)`,
      [id, organizationId, panel],
    );
    await db.query(
      `INSERT INTO connection_cursors (organization_id, connection_id, entity, feeds, synced_at)
       VALUES ($1, $2, 'things', $3, now())`,
      [organizationId, id, panel],
    );
    return [panel, id];
  };
  const [revenue, traffic, ads, social, email, support] = await Promise.all(PANEL_KEYS.map(insert));
  const of = (account: [PanelKey, string] | undefined): string => account?.[1] ?? '';
  return {
    revenue: of(revenue),
    traffic: of(traffic),
    ads: of(ads),
    social: of(social),
    email: of(email),
    support: of(support),
  };
}

/** Without the indexes, which are built at once afterwards, and without looking up the foreign key of each row. */
async function insertFacts(url: string, { organizationId, accounts, from, facts }: Seed): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('SET session_replication_role = replica');
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid = 'facts'::regclass AND NOT indisprimary`,
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  const values = (panel: PanelKey): unknown[] => [organizationId, accounts[panel], from, DAYS];
  await client.query(ORDERS, [...values('revenue'), Math.round(facts * 0.75)]);
  await client.query(REFUNDS, [...values('revenue'), Math.round(facts * 0.05)]);
  await client.query(TICKETS, [...values('support'), Math.round(facts * 0.2)]);
  for (const [panel, statement] of Object.entries(DAILY)) {
    await client.query(statement, values(panel as keyof typeof DAILY));
  }
  for (const { definition } of rows) await client.query(definition);
  await client.end();
}

/** Month by month, in a transaction each. */
async function rollUp(db: Database, { organizationId, accounts, from }: Omit<Seed, 'facts'>): Promise<void> {
  const days = daysOf({ from, to: addDays(from, DAYS - 1) });
  const types = ['order', 'refund', 'traffic_day', 'ad_day', 'social_day', 'email_day', 'ticket'] as const;
  for (let index = 0; index < days.length; index += 30) {
    const touched = new TouchedDays();
    for (const day of days.slice(index, index + 30)) {
      touched.add(types.map((type) => ({ type, day, endDay: null })));
    }
    for (const connectionId of Object.values(accounts)) {
      await db.transaction((tx) => refreshRollups(tx, { organizationId, connectionId }, touched));
    }
  }
}

/** $1 the organization, $2 the account, $3 the first day, $4 how many days. */
const fact = (type: string, columns: string, data: string, source: string): string => `
  INSERT INTO facts (organization_id, connection_id, type, entity, record_key, ${columns}, data)
  SELECT $1::uuid, $2::uuid, '${type}', 'things', key, ${columns.replace('fact_key', 'key')}, ${data} FROM ${source}`;

/** $5: so many, spread evenly, by day and second. */
const spread = `(
  SELECT lpad(n::text, 9, '0') AS key, n, $3::date + (n * $4::bigint / $5::int)::int AS day,
         ($3::date + (n * $4::bigint / $5::int)::int) + interval '12 hours' AS at
  FROM generate_series(0, $5::int - 1) AS n
) AS made`;

const ORDERS = fact(
  'order',
  'fact_key, day, at',
  `jsonb_build_object('currency', CASE WHEN n % 20 = 0 THEN 'USD' ELSE 'EUR' END, 'gross', (n % 9000 / 100.0 + 5)::text,
                      'channel', (ARRAY['web', 'pos', 'app'])[1 + n % 3], 'customerKey', (n % 5000)::text)`,
  spread,
);
const REFUNDS = fact(
  'refund',
  'fact_key, day, at',
  `jsonb_build_object('currency', 'EUR', 'amount', (n % 900 / 100.0 + 1)::text, 'orderKey', key)`,
  spread,
);
const TICKETS = fact(
  'ticket',
  'fact_key, day, end_day, at',
  `jsonb_build_object('firstReplyMinutes', n % 600, 'satisfaction', CASE WHEN n % 3 = 0 THEN 'bad' ELSE 'good' END,
                      'channel', (ARRAY['mail', 'chat', 'phone'])[1 + n % 3])`,
  `(SELECT *, CASE WHEN n % 10 > 0 THEN day + (n % 4)::int END AS end_day FROM ${spread}) AS solved`,
);

/** Each day `each` times. */
const daily = (each: string): string => `(
  SELECT to_char(day, 'YYYYMMDD') || ' ' || item AS key, day, item, extract(doy FROM day)::int + abs(item) AS n
  FROM (SELECT $3::date + d AS day FROM generate_series(0, $4::int - 1) AS d) AS days, generate_series(${each}) AS item
) AS made`;

const DAILY = {
  traffic: fact(
    'traffic_day',
    'fact_key, day',
    `jsonb_strip_nulls(jsonb_build_object('windowDays', CASE WHEN item < 0 THEN -item ELSE 1 END,
       'channel', CASE WHEN item > 0 THEN 'channel ' || item END, 'sessions', n, 'pageviews', n * 3, 'engagedSessions', n,
       'users', n, 'newUsers', n))`,
    `(SELECT * FROM ${daily('-365, 8')} WHERE item >= 0 OR item IN (-7, -28, -30, -90, -365)) AS told`,
  ),
  ads: fact(
    'ad_day',
    'fact_key, day',
    `jsonb_build_object('account', 'Main', 'campaignKey', item::text, 'campaign', 'Campaign ' || item, 'currency', 'EUR',
       'spend', (n / 10.0)::text, 'impressions', n * 100, 'clicks', n, 'conversions', n / 7.0, 'value', n::text)`,
    daily('1, 10'),
  ),
  social: fact(
    'social_day',
    'fact_key, day',
    `jsonb_build_object('network', CASE item WHEN 1 THEN 'facebook' ELSE 'instagram' END, 'accountKey', item::text,
       'account', 'Shop', 'followers', 1000 + n, 'impressions', n * 10, 'engagements', n)`,
    daily('1, 2'),
  ),
  email: fact(
    'email_day',
    'fact_key, day, at',
    `jsonb_build_object('campaign', 'Mailing ' || key, 'sent', n * 100, 'opens', n * 40, 'clicks', n * 9,
       'unsubscribes', n % 5, 'bounces', n % 3)`,
    `(SELECT *, day::timestamptz AS at FROM ${daily('1, 1')}) AS sent`,
  ),
};

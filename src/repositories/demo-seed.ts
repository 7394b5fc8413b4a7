import { createHash } from 'node:crypto';
import { v5 as uuidv5 } from 'uuid';
import type { EntityRow } from './connections.ts';
import type { Database, Sql } from './db.ts';

const ROLES = ['admin', 'member', 'viewer'] as const;

/** An account whose figures are made up. */
export interface DemoAccount {
  readonly provider: string;
  readonly account: {
    /** The provider's own id of it */
    readonly id: string;
    readonly label: string;
    /** IANA name */
    readonly timeZone: string | null;
    readonly currency: string | null;
  };
  readonly entities: readonly EntityRow[];
}

export interface DemoSeedOptions {
  /** Bearer tokens of the three users; only their SHA-256 is stored */
  readonly tokens: Readonly<Record<(typeof ROLES)[number], string>>;
  /** What is connected from the first start on */
  readonly accounts: readonly DemoAccount[];
  /** Ciphertext of a connection's credentials, which open nothing */
  readonly encrypted: (connectionId: string) => string;
}

/** Ids are made from names in this namespace, so that every start finds what an earlier one wrote. */
const NAMESPACE = '6d0c5b0e-2f2b-4c57-9d8e-6f0f4b6c1a52';
const ORGANIZATION_ID = idOf('organization');
const TIME_ZONE = 'Europe/Berlin';
const CREATED_BY = 'manual:admin@demo.example';
const SYNC_EVERY_SECONDS = 120;
/** The year that the dashboard can show, and a month */
const BACKFILL_DAYS = 396;

/**
 * A shop to look at: an organization, one user and token per role, and connected accounts whose first sync is due. Running
 * it again changes nothing but that a token that changed replaces the old one.
 */
export async function seedDemo(
  db: Database,
  { tokens, accounts, encrypted }: DemoSeedOptions,
): Promise<{ readonly organizationId: string }> {
  await db.transaction(async (tx) => {
    await insertOrganization(tx);
    await insertUsers(tx);
    await insertApiKeys(tx, tokens);
    await insertConnections(tx, accounts, encrypted);
  });
  return { organizationId: ORGANIZATION_ID };
}

async function insertOrganization(tx: Sql): Promise<void> {
  await tx.query(
    `INSERT INTO organizations (id, name, time_zone, currency) VALUES ($1, 'Millrace Demo', $2, 'EUR')
     ON CONFLICT (id) DO NOTHING`,
    [ORGANIZATION_ID, TIME_ZONE],
  );
}

async function insertUsers(tx: Sql): Promise<void> {
  const ids = ROLES.map((role) => idOf(`user ${role}`));
  const emails = ROLES.map((role) => `${role}@demo.example`);
  const names = ROLES.map((role) => `Demo ${role}`);
  await tx.query(
    `INSERT INTO users (id, email, name) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
     ON CONFLICT (id) DO NOTHING`,
    [ids, emails, names],
  );
  await tx.query(
    `INSERT INTO memberships (organization_id, user_id, role)
     SELECT $1, user_id, role::role FROM unnest($2::uuid[], $3::text[]) AS member (user_id, role)
     ON CONFLICT (organization_id, user_id) DO NOTHING`,
    [ORGANIZATION_ID, ids, ROLES],
  );
}

async function insertApiKeys(tx: Sql, tokens: DemoSeedOptions['tokens']): Promise<void> {
  await tx.query(
    `INSERT INTO api_keys (id, organization_id, user_id, name, role, token_hash)
     SELECT id, $1, user_id, name, role::role, token_hash
     FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[]) AS key (id, user_id, name, role, token_hash)
     ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash
     WHERE api_keys.token_hash <> excluded.token_hash`,
    [
      ORGANIZATION_ID,
      ROLES.map((role) => idOf(`api key ${role}`)),
      ROLES.map((role) => idOf(`user ${role}`)),
      ROLES.map((role) => `demo ${role}`),
      ROLES,
      ROLES.map((role) => createHash('sha256').update(tokens[role]).digest()),
    ],
  );
}

/**
 * All at once or none: whoever has connections has decided about them, and one that was paused, disconnected or erased
 * stays so. They are read each minute, so that the dashboard lives.
 */
async function insertConnections(
  tx: Sql,
  accounts: readonly DemoAccount[],
  encrypted: (connectionId: string) => string,
): Promise<void> {
  const rows = accounts.map(({ provider, account, entities }) => {
    const id = idOf(`connection ${provider}`);
    const { id: accountKey, label, timeZone, currency } = account;
    return { id, provider, accountKey, label, timeZone, currency, credentials: encrypted(id), entities };
  });
  await tx.query(
    `WITH given AS (
       SELECT * FROM jsonb_to_recordset($2::jsonb) AS given
         (id uuid, provider text, "accountKey" text, label text, "timeZone" text, currency text, credentials text,
          entities jsonb)
     ), added AS (
       INSERT INTO connections (id, organization_id, provider, account_key, label, config, credentials, time_zone, currency,
                                sync_every_seconds, created_by, sync_from, next_sync_at)
       SELECT id, $1, provider, "accountKey", label, '{}', credentials, "timeZone", currency, $3, $4,
              CURRENT_DATE - $5::int, now()
       FROM given
       WHERE NOT EXISTS (SELECT FROM connections WHERE organization_id = $1)
       ON CONFLICT DO NOTHING
       RETURNING id
     )
     INSERT INTO connection_cursors (organization_id, connection_id, entity, feeds)
     SELECT $1, id, entity.name, entity.feeds
     FROM added JOIN given USING (id), jsonb_to_recordset(given.entities) AS entity (name text, feeds text)`,
    [ORGANIZATION_ID, JSON.stringify(rows), SYNC_EVERY_SECONDS, CREATED_BY, BACKFILL_DAYS],
  );
  await renewCredentials(tx, rows);
}

/** The data folder may have lost the secret with which an earlier start encrypted them. */
async function renewCredentials(
  tx: Sql,
  rows: readonly { readonly id: string; readonly credentials: string }[],
): Promise<void> {
  await tx.query(
    `UPDATE connections SET credentials = given.credentials
     FROM unnest($2::uuid[], $3::text[]) AS given (id, credentials)
     WHERE organization_id = $1 AND connections.id = given.id AND disconnected_at IS NULL`,
    [ORGANIZATION_ID, rows.map(({ id }) => id), rows.map(({ credentials }) => credentials)],
  );
}

function idOf(name: string): string {
  return uuidv5(name, NAMESPACE);
}

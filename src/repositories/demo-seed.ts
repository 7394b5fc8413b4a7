import { createHash } from 'node:crypto';
import { v5 as uuidv5 } from 'uuid';
import type { Clock } from '../lib/clock.ts';
import { addDays, dateIn, daysOf } from '../domain/period.ts';
import type { Database, Sql } from './db.ts';

const ROLES = ['admin', 'member', 'viewer'] as const;

export interface DemoSeedOptions {
  readonly clock: Clock;
  /** Bearer tokens of the three users; only their SHA-256 is stored */
  readonly tokens: Readonly<Record<(typeof ROLES)[number], string>>;
}

export interface DemoSeed {
  readonly organizationId: string;
  /** 0 when everything was there */
  readonly ordersAdded: number;
}

/** Ids are made from names in this namespace, so that every start finds what an earlier one wrote. */
const NAMESPACE = '6d0c5b0e-2f2b-4c57-9d8e-6f0f4b6c1a52';
const ORGANIZATION_ID = idOf('organization');
const TIME_ZONE = 'Europe/Berlin';
const DAYS = 60;

/**
 * A shop to look at: an organization, one user and token per role, and the orders of the 60 days before now. Running
 * it again changes nothing but adds the orders of the days since, and a token that changed replaces the old one.
 */
export async function seedDemo(db: Database, { clock, tokens }: DemoSeedOptions): Promise<DemoSeed> {
  const orders = demoOrders(clock.now());
  const ordersAdded = await db.transaction(async (tx) => {
    await insertOrganization(tx);
    await insertUsers(tx);
    await insertApiKeys(tx, tokens);
    return insertOrders(tx, orders);
  });
  return { organizationId: ORGANIZATION_ID, ordersAdded };
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

async function insertOrders(tx: Sql, orders: readonly DemoOrder[]): Promise<number> {
  const { rowCount } = await tx.query(
    `INSERT INTO orders (id, organization_id, source, external_id, placed_at, currency, gross, refunded)
     SELECT id, $1, 'demo', external_id, placed_at, 'EUR', gross, refunded
     FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::numeric[], $6::numeric[])
       AS demo (id, external_id, placed_at, gross, refunded)
     ON CONFLICT (organization_id, source, external_id) DO NOTHING`,
    [
      ORGANIZATION_ID,
      orders.map((order) => idOf(`order ${order.externalId}`)),
      orders.map((order) => order.externalId),
      orders.map((order) => order.placedAt.toISOString()),
      orders.map((order) => amountOf(order.grossCents)),
      orders.map((order) => amountOf(order.refundedCents)),
    ],
  );
  return rowCount ?? 0;
}

interface DemoOrder {
  readonly externalId: string;
  readonly placedAt: Date;
  readonly grossCents: number;
  readonly refundedCents: number;
}

/** What was sold up to `now`. A day's orders depend on its date alone, whenever they are asked for. */
function demoOrders(now: Date): DemoOrder[] {
  const today = dateIn(TIME_ZONE, now);
  const days = daysOf({ from: addDays(today, 1 - DAYS), to: today });
  return days.flatMap(ordersOfDay).filter((order) => order.placedAt <= now);
}

/** Orders on a usual day, Sunday first: quiet on Tuesdays, busy at the weekend. */
const WEEKDAY_ORDERS = [10, 6, 5, 6, 7, 9, 11];

function ordersOfDay(date: string): DemoOrder[] {
  const usual = WEEKDAY_ORDERS[new Date(`${date}T12:00:00Z`).getUTCDay()] ?? 0;
  const orders = Math.round(usual * (0.7 + 0.6 * chance(`${date} orders`)));
  return Array.from({ length: orders }, (_, index) =>
    orderOf(date, `${date}-${String(index + 1).padStart(3, '0')}`),
  );
}

const HOUR_MS = 3_600_000;

function orderOf(date: string, externalId: string): DemoOrder {
  // From 6 to 21 h UTC, which is the same day in Berlin all year.
  const placedAt = new Date(Date.parse(`${date}T06:00:00Z`) + chance(`${externalId} time`) * 15 * HOUR_MS);
  // Many small orders, few large ones: 9.90 to 259.90.
  const grossCents = 990 + 100 * Math.floor(251 * chance(`${externalId} amount`) ** 2.5);
  return {
    externalId,
    placedAt,
    grossCents,
    refundedCents: refundOf(grossCents, chance(`${externalId} refund`)),
  };
}

/** Five in a hundred orders come back whole, another four by half. */
function refundOf(grossCents: number, draw: number): number {
  if (draw < 0.05) return grossCents;
  return draw < 0.09 ? Math.floor(grossCents / 2) : 0;
}

/** A number in [0, 1) that depends on the text alone. */
function chance(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}

function amountOf(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

function idOf(name: string): string {
  return uuidv5(name, NAMESPACE);
}

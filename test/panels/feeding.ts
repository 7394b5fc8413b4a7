import type { Fact, ProductLine } from '../../src/domain/facts.ts';
import type { Feed } from '../../src/domain/panel.ts';
import type { Database } from '../../src/repositories/db.ts';
import type { FactOwner } from '../../src/repositories/fact-pages.ts';
import { createConnection } from '../support/connection.ts';
import type { TestOrganization } from '../support/organization.ts';
import { writeRecords } from '../support/records.ts';

/** When the accounts of tests were read, unless they say otherwise: within the hour before the tests' clock. */
export const SYNCED_AT = new Date('2026-06-15T11:30:00Z');

interface EntityState {
  readonly entity?: string;
  readonly syncedAt?: Date | null;
  readonly failureCode?: string;
  readonly failureMessage?: string;
}

/** An account with one entity that feeds a panel. */
export async function createSource(
  db: Database,
  { id }: Pick<TestOrganization, 'id'>,
  feed: Feed,
  { label, ...state }: EntityState & { readonly label?: string } = {},
): Promise<FactOwner> {
  const owner = await createConnection(db, id);
  if (label !== undefined) await changeConnection(db, owner, { label });
  await addEntity(db, owner, feed, state);
  return owner;
}

export async function addEntity(
  db: Database,
  { organizationId, connectionId }: FactOwner,
  feed: Feed | null,
  { entity = 'things', syncedAt = SYNCED_AT, failureCode, failureMessage }: EntityState = {},
): Promise<void> {
  await db.query(
    `INSERT INTO connection_cursors (organization_id, connection_id, entity, feeds, synced_at, failure_code, failure_message)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [organizationId, connectionId, entity, feed, syncedAt, failureCode ?? null, failureMessage ?? null],
  );
}

/** Sets columns of a connection, by their names in the database. */
export async function changeConnection(
  db: Database,
  { connectionId }: FactOwner,
  columns: Readonly<Record<string, unknown>>,
): Promise<void> {
  const assignments = Object.keys(columns).map((column, index) => `${column} = $${index + 2}`);
  await db.query(`UPDATE connections SET ${assignments.join(', ')} WHERE id = $1`, [
    connectionId,
    ...Object.values(columns),
  ]);
}

/** What a sync does with a page of one record per fact. */
export async function writeFacts(db: Database, owner: FactOwner, facts: readonly Fact[]): Promise<void> {
  const records = facts.map((fact) => ({ key: `${fact.type} ${fact.key}`, data: {}, facts: [fact] }));
  await writeRecords(db, owner, records);
}

let made = 0;

export function order(
  at: string,
  gross: string,
  currency = 'EUR',
  channel: string | null = null,
  lines: ProductLine[] = [],
): Fact {
  return {
    type: 'order',
    key: `order ${(made += 1)}`,
    at: new Date(at),
    currency,
    gross,
    channel,
    customerKey: null,
    lines,
  };
}

export function refund(at: string, amount: string, currency = 'EUR', lines: ProductLine[] = []): Fact {
  return {
    type: 'refund',
    key: `refund ${(made += 1)}`,
    orderKey: null,
    at: new Date(at),
    currency,
    amount,
    lines,
  };
}

interface AdDay {
  readonly currency?: string;
  readonly account?: string;
  readonly campaign?: string;
  readonly conversions?: number;
}

export function adDay(
  day: string,
  spend: string,
  [impressions, clicks]: readonly [number, number],
  { currency = 'EUR', account = 'Main', campaign = 'Spring', conversions = 0 }: AdDay = {},
): Fact {
  return {
    type: 'ad_day',
    key: `${day} ${campaign} ${currency}`,
    day,
    account,
    campaignKey: campaign.toLowerCase(),
    campaign,
    currency,
    spend,
    impressions,
    clicks,
    conversions,
    value: '0',
  };
}

export function visits(
  day: string,
  [sessions, pageviews, users]: readonly [number, number, number],
  {
    channel = null,
    windowDays = 1,
  }: { channel?: string | null; windowDays?: 1 | 7 | 28 | 30 | 90 | 365 } = {},
): Fact {
  return {
    type: 'traffic_day',
    key: `${day} ${windowDays} ${channel}`,
    day,
    windowDays,
    channel,
    sessions,
    pageviews,
    engagedSessions: 0,
    users,
    newUsers: 0,
  };
}

export function socialDay(
  day: string,
  account: string,
  [followers, impressions, engagements]: readonly [number | null, number, number],
  network: 'facebook' | 'instagram' = 'facebook',
): Fact {
  return {
    type: 'social_day',
    key: `${day} ${network} ${account}`,
    day,
    network,
    accountKey: account,
    account,
    followers,
    impressions,
    engagements,
  };
}

export function campaign(
  at: string,
  name: string,
  [sent, opens, clicks, unsubscribes]: readonly [number, number, number, number],
): Fact {
  return {
    type: 'email_day',
    key: name,
    at: new Date(at),
    campaign: name,
    list: null,
    sent,
    opens,
    clicks,
    unsubscribes,
    bounces: 0,
    revenue: null,
  };
}

interface Ticket {
  readonly solvedAt?: string;
  readonly firstReplyMinutes?: number;
  readonly satisfaction?: 'good' | 'bad';
  readonly channel?: string;
}

export function ticket(openedAt: string, more: Ticket = {}): Fact {
  return {
    type: 'ticket',
    key: `ticket ${(made += 1)}`,
    openedAt: new Date(openedAt),
    solvedAt: more.solvedAt === undefined ? null : new Date(more.solvedAt),
    firstReplyMinutes: more.firstReplyMinutes ?? null,
    satisfaction: more.satisfaction ?? null,
    channel: more.channel ?? null,
  };
}

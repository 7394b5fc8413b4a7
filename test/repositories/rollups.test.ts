import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/facts.ts';
import type { FactOwner, RecordRow } from '../../src/repositories/fact-pages.ts';
import { createConnection } from '../support/connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';
import { writeRecords } from '../support/records.ts';
import { record } from './record-histories.ts';
import { rollupsOf } from './rollups-of.ts';

const TIME_ZONE = 'Europe/Berlin';

let database: TestDatabase;
let organizationId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  organizationId = (await createOrganization(database.db, { timeZone: TIME_ZONE })).id;
});
afterAll(() => database.close());

const write = (owner: FactOwner, records: readonly RecordRow[]) => writeRecords(database.db, owner, records);

describe('rollups', () => {
  it('have the days of the organization, and a ticket on both of its days', async () => {
    const owner = await createConnection(database.db, organizationId);
    const late = new Date('2026-03-28T23:30:00Z');
    await write(owner, [
      record('o', [
        {
          type: 'order',
          key: 'o',
          at: late,
          currency: 'KWD',
          gross: '1.234',
          channel: 'web',
          customerKey: null,
        },
      ]),
      record('t', [
        {
          type: 'ticket',
          key: 't',
          openedAt: late,
          solvedAt: new Date('2026-03-30T10:00:00Z'),
          firstReplyMinutes: 30,
          satisfaction: 'good',
          channel: 'mail',
        },
      ]),
    ]);
    expect(await rollupsOf(database.db, owner)).toMatchObject({
      revenue_days: [
        { day: '2026-03-29', currency: 'KWD', channel: 'web', gross: 1.234, refunds: 0, orders: 1 },
      ],
      support_days: [
        { day: '2026-03-29', channel: 'mail', opened: 1, solved: 0, good: 0, first_replies: { '84': 1 } },
        { day: '2026-03-30', channel: 'mail', opened: 0, solved: 1, good: 1, first_replies: {} },
      ],
    });
  });

  it('the same page again changes nothing, and says so', async () => {
    const owner = await createConnection(database.db, organizationId);
    const page = [
      record('o', [
        {
          type: 'order',
          key: 'o',
          at: new Date(0),
          currency: 'EUR',
          gross: '1',
          channel: null,
          customerKey: null,
        },
      ]),
    ];
    expect(await write(owner, page)).toMatchObject({ changed: 1, unchanged: 0 });
    const again = await write(owner, page);
    expect(again).toMatchObject({ changed: 0, unchanged: 1, removed: 0 });
    expect(again?.touched.of('order', 'refund')).toEqual([]);
  });

  it('a fact that another record takes over leaves the day where it was', async () => {
    const owner = await createConnection(database.db, organizationId);
    const adDay = (on: string): Fact => ({
      ...{
        type: 'ad_day',
        key: 'k',
        day: on,
        account: 'a',
        campaignKey: 'c',
        campaign: 'C',
        currency: 'EUR',
      },
      ...{ spend: '1', impressions: 1, clicks: 1, conversions: 0, value: '0' },
    });
    await write(owner, [record('one', [adDay('2026-01-01')])]);
    await write(owner, [record('two', [adDay('2026-01-02')])]);
    expect(await rollupsOf(database.db, owner)).toMatchObject({
      ads_days: [{ day: '2026-01-02', spend: 1 }],
    });
  });

  it('nothing is written for a connection that is gone, disconnected or another organization’s', async () => {
    const owner = await createConnection(database.db, organizationId);
    const stranger = { ...owner, organizationId: (await createOrganization(database.db)).id };
    const page = [
      record('o', [
        {
          type: 'order',
          key: 'o',
          at: new Date(0),
          currency: 'EUR',
          gross: '1',
          channel: null,
          customerKey: null,
        },
      ]),
    ];
    expect(await write(stranger, page)).toBeNull();
    await database.db.query('UPDATE connections SET disconnected_at = now() WHERE id = $1', [
      owner.connectionId,
    ]);
    expect(await write(owner, page)).toBeNull();
    expect(
      (await database.db.query('SELECT 1 FROM facts WHERE connection_id = $1', [owner.connectionId]))
        .rowCount,
    ).toBe(0);
  });
});

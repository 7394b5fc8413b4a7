import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FactOwner, RecordRow } from '../../src/repositories/fact-pages.ts';
import { adsSums } from '../../src/repositories/panel-ads.ts';
import { emailSums } from '../../src/repositories/panel-email.ts';
import { revenueSums } from '../../src/repositories/panel-revenue.ts';
import { revenueRows } from '../../src/repositories/panel-revenue-rows.ts';
import type { PanelScope } from '../../src/repositories/panel-scope.ts';
import { socialAccountDays } from '../../src/repositories/panel-social.ts';
import { supportSums } from '../../src/repositories/panel-support.ts';
import { trafficSums } from '../../src/repositories/panel-traffic.ts';
import { createConnection } from '../support/connection.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';
import { writeRecords } from '../support/records.ts';
import { FIGURES, rawFigures, type Figures } from './raw-figures.ts';
import { recordHistory } from './record-histories.ts';
import { rollupsOf } from './rollups-of.ts';

const TIME_ZONE = 'Europe/Berlin';
/** A day, the week around a change of the clock, and all that there is. */
const PERIODS = [
  { from: '2026-03-29', to: '2026-03-29' },
  { from: '2026-03-23', to: '2026-03-29' },
  { from: '2026-01-01', to: '2026-12-31' },
];

let database: TestDatabase;
let organizationId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  organizationId = (await createOrganization(database.db, { timeZone: TIME_ZONE })).id;
});
afterAll(() => database.close());

const write = (owner: FactOwner, records: readonly RecordRow[], removed: readonly string[] = []) =>
  writeRecords(database.db, owner, records, removed);

function pagesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, page) =>
    items.slice(page * size, (page + 1) * size),
  );
}

/** "12.500000" as "12.5" */
const trimmed = (amount: string): string => amount.replace(/\.?0+$/, '').replace(/^$/, '0');
const plain = (amount: string): string => (amount.includes('.') ? trimmed(amount) : amount);

/** What the panels read of the rollups, in the words of `rawFigures`. */
async function panelFigures(scope: PanelScope): Promise<Figures> {
  const { db } = database;
  const request = { ...scope, granularity: 'month', after: null, limit: 1_000 } as const;
  const [revenue, products, ads, traffic, social, email, support] = await Promise.all([
    revenueSums(db, scope),
    revenueRows.page(db, 'product', request),
    adsSums(db, scope),
    trafficSums(db, scope),
    socialAccountDays(db, scope),
    emailSums(db, scope),
    supportSums(db, scope),
  ]);
  return {
    revenue: revenue.map(({ gross, refunds, net, ...row }) => ({
      ...row,
      ...{ gross: plain(gross), refunds: plain(refunds), net: plain(net) },
    })),
    products: products.flatMap(({ from, key, money }) =>
      money.map(({ currency, gross, refunds }) => ({
        ...{ date: from, key: key.slice(key.indexOf(' ') + 1), currency },
        ...{ gross: plain(gross), refunds: plain(refunds) },
      })),
    ),
    ads: ads.map(({ spend, ...row }) => ({ ...row, spend: plain(spend) })),
    traffic,
    social: social.map(({ account: _account, ...row }) => row),
    email,
    support: support.map(({ replies, ...row }) => ({
      ...row,
      replies: row.date === null ? Object.values(replies ?? {}).reduce((sum, each) => sum + each, 0) : null,
    })),
  };
}

/** In one order of rows and columns; what has no amount at all need not be there. */
const sorted = (rows: readonly object[]): string[] =>
  rows
    .filter(
      (row) =>
        !('key' in row && 'gross' in row && row.gross === '0' && 'refunds' in row && row.refunds === '0'),
    )
    .map((row) => JSON.stringify(Object.entries(row).toSorted(([one], [other]) => (one < other ? -1 : 1))))
    .toSorted();

it(
  'figures of days and of whole periods are the same whatever the order and repetition of pages, and what one SQL over the raw rows says',
  { timeout: 240_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(recordHistory, async ({ older, last, gone, order, pageSize }) => {
        const [straight, shuffled] = await Promise.all([
          createConnection(database.db, organizationId),
          createConnection(database.db, organizationId),
        ]);
        await write(
          straight,
          last.filter(({ key }) => !gone.includes(key)),
        );
        for (const page of pagesOf(older, pageSize)) await write(shuffled, page);
        const byKey = new Map(last.map((row) => [row.key, row]));
        const again = order.map((key) => byKey.get(key)).filter((row) => row !== undefined);
        for (const page of pagesOf(again, pageSize)) await write(shuffled, page);
        await write(shuffled, [], gone);
        expect(await rollupsOf(database.db, shuffled)).toEqual(await rollupsOf(database.db, straight));
        for (const period of PERIODS) {
          const scope = { organizationId, connectionIds: [shuffled.connectionId], ...period };
          const found = await panelFigures(scope);
          const raw = await rawFigures(database.db, scope, TIME_ZONE);
          for (const key of FIGURES) expect([key, sorted(found[key])]).toEqual([key, sorted(raw[key])]);
        }
      }),
      { numRuns: 60 },
    );
  },
);

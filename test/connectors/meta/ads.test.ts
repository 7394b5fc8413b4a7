import { describe, expect, it } from 'vitest';
import type { PulledPage } from '../../../src/connectors/connector.ts';
import { ACCOUNT, openMeta, type MetaConnection } from '../../support/providers/meta-connection.ts';
import { metaError, startMeta, TOKEN } from '../../support/providers/meta.ts';

const FIRST = '2026-11-04';
const TODAY = '2026-11-10';

function adDay(day: string, campaign = 'c1', change: Readonly<Record<string, unknown>> = {}) {
  return {
    account_id: '1001',
    account_name: 'Acme Ads',
    account_currency: 'EUR',
    campaign_id: campaign,
    campaign_name: `Campaign ${campaign}`,
    date_start: day,
    date_stop: day,
    spend: '12.34',
    impressions: 1_000,
    clicks: 50,
    inline_link_clicks: 20,
    reach: 800,
    actions: [
      { action_type: 'purchase', value: '2' },
      { action_type: 'omni_purchase', value: '3.5' },
    ],
    action_values: [
      { action_type: 'purchase', value: '99.9' },
      { action_type: 'omni_purchase', value: '150.5' },
    ],
    ...change,
  };
}

/** Five rows: three pages. */
const FIVE = [FIRST, '2026-11-05', '2026-11-06', '2026-11-07', TODAY].map((day) => adDay(day));

function idsIn(pages: readonly PulledPage[]): string[] {
  return pages.flatMap((page) => page.records.map((record) => record.id));
}

function rangesAsked({ server }: MetaConnection): string[] {
  return server.requests.flatMap(({ query }) => {
    const range = query.has('after') ? null : query.get('time_range');
    return range ? [range.replaceAll(/[^\d:,-]|:(?=")/g, '').replaceAll(':', '')] : [];
  });
}

describe('Meta’s ad insights', () => {
  it('come in pages of whole windows, with a cursor that never passes what is not read', async () => {
    await using meta = await openMeta({ state: { adDays: FIVE } });
    const { pages, error } = await meta.pull('ad_insights');
    expect(error).toBeNull();
    expect(pages.map((page) => page.records.length)).toEqual([2, 2, 1]);
    expect(idsIn(pages)).toEqual(FIVE.map((row) => `1001:c1:${row.date_start}`));
    expect(pages.map(({ cursor, isLast }) => ({ cursor, isLast }))).toEqual([
      { cursor: { next: FIRST, readOn: TODAY }, isLast: false },
      { cursor: { next: FIRST, readOn: TODAY }, isLast: false },
      { cursor: { next: '2026-11-11', readOn: TODAY }, isLast: true },
    ]);
  });

  it('become one fact per campaign and day, in which overlapping conversions count once', async () => {
    await using meta = await openMeta({ state: { adDays: [adDay(TODAY)] } });
    const { pages } = await meta.pull('ad_insights');
    expect(pages.flatMap((page) => page.records.flatMap((record) => record.facts))).toEqual([
      {
        type: 'ad_day',
        key: '1001:c1:2026-11-10',
        day: '2026-11-10',
        account: 'Acme Ads',
        campaignKey: 'c1',
        campaign: 'Campaign c1',
        currency: 'EUR',
        spend: '12.34',
        impressions: 1_000,
        clicks: 50,
        conversions: 3.5,
        value: '150.50',
      },
    ]);
  });

  it('count what Meta leaves out as 0, and actions of unknown types not at all', async () => {
    const row = adDay(TODAY, 'c1', {
      ...{ spend: 0, impressions: 0, clicks: 0, reach: 0, inline_link_clicks: 0, action_values: undefined },
      actions: [{ action_type: 'purchase_in_a_dream', value: '7' }],
    });
    await using meta = await openMeta({ state: { adDays: [row] } });
    const { pages } = await meta.pull('ad_insights');
    expect(pages[0]?.records[0]?.facts).toMatchObject([
      { spend: '0.00', impressions: 0, clicks: 0, conversions: 0, value: '0.00' },
    ]);
  });

  it.each([
    ['JPY', '1234', '1234'],
    ['KWD', '1.234', '1.234'],
    ['KWD', '1.2', '1.200'],
  ])('keep %s %s exact', async (account_currency, spend, expected) => {
    await using meta = await openMeta({
      state: { adDays: [adDay(TODAY, 'c1', { account_currency, spend, action_values: [] })] },
    });
    const { pages } = await meta.pull('ad_insights');
    expect(pages[0]?.records[0]?.facts).toMatchObject([{ currency: account_currency, spend: expected }]);
  });

  it('are one empty page when nothing was advertised, or no ad account is configured', async () => {
    const empty = {
      ...{ records: [], rejected: [], removed: [], total: null, notes: [] },
      cursor: { next: '2026-11-11', readOn: TODAY },
      isLast: true,
    };
    await using quiet = await openMeta();
    expect((await quiet.pull('ad_insights')).pages).toEqual([empty]);
    await using without = await openMeta({ config: { pageId: '2002' } });
    expect((await without.pull('ad_insights')).pages).toEqual([empty]);
    expect(without.server.requests).toEqual([]);
  });

  it('may hold a row twice: it has one id', async () => {
    await using meta = await openMeta({ state: { adDays: [...FIVE.slice(0, 2), ...FIVE.slice(1, 3)] } });
    const ids = idsIn((await meta.pull('ad_insights')).pages);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(3);
  });

  it('lose one row that makes no sense, and no other', async () => {
    const rows = [adDay(FIRST, 'c1', { impressions: 'many' }), adDay(FIRST, 'c2')];
    await using meta = await openMeta({ state: { adDays: rows } });
    const { pages } = await meta.pull('ad_insights');
    expect(idsIn(pages)).toEqual(['1001:c2:2026-11-04']);
    expect(pages[0]?.rejected).toMatchObject([
      { key: 'record 1', message: expect.stringContaining('impressions') },
    ]);
  });
});

describe('the days of Meta’s ad insights', () => {
  it.each([
    ['23:30 in São Paulo is not yet tomorrow', 'America/Sao_Paulo', '2026-11-11T02:30:00Z', '2026-11-10'],
    ['00:30 in Berlin is no longer yesterday', 'Europe/Berlin', '2026-11-10T23:30:00Z', '2026-11-11'],
  ])('are the account’s own: %s', async (_, timeZone, now, last) => {
    await using meta = await openMeta({ now });
    const { pages } = await meta.pull('ad_insights', { account: { ...ACCOUNT, timeZone } });
    expect(pages.at(-1)?.cursor).toMatchObject({ readOn: last });
    expect(rangesAsked(meta).at(-1)).toMatch(new RegExp(`,${last}$`));
  });

  it('are read again for four weeks by the next run, a week at a time', async () => {
    await using meta = await openMeta();
    await meta.pull('ad_insights', { after: { next: '2026-11-10', readOn: '2026-11-09' } });
    expect(rangesAsked(meta)).toEqual([
      '2026-10-13,2026-10-19',
      '2026-10-20,2026-10-26',
      '2026-10-27,2026-11-02',
      '2026-11-03,2026-11-09',
      '2026-11-10,2026-11-10',
    ]);
  });

  it('go on where a run was cut short on the same day', async () => {
    await using meta = await openMeta();
    await meta.pull('ad_insights', { after: { next: '2026-11-08', readOn: TODAY } });
    expect(rangesAsked(meta)).toEqual(['2026-11-08,2026-11-10']);
  });

  it('go back no further than Meta does, and begin anew after a cursor that nobody can read', async () => {
    await using meta = await openMeta();
    const { pages } = await meta.pull('ad_insights', { from: '2001-01-01T00:00:00Z', after: { page: 7 } });
    expect(rangesAsked(meta)[0]).toBe('2023-11-12,2023-11-18');
    expect(pages.at(-1)?.isLast).toBe(true);
  });

  it('are asked for in smaller numbers when Meta finds a week too much, and not for ever', async () => {
    await using meta = await openMeta({ state: { adDays: FIVE, daysMax: 3, rowsMax: 10 } });
    const { pages, error } = await meta.pull('ad_insights');
    expect(error).toBeNull();
    expect(idsIn(pages)).toHaveLength(5);
    const asked = [
      '2026-11-04,2026-11-10',
      '2026-11-04,2026-11-06',
      '2026-11-07,2026-11-09',
      '2026-11-10,2026-11-10',
    ];
    expect(rangesAsked(meta)).toEqual(asked);
    meta.state.daysMax = 0;
    expect((await meta.pull('ad_insights')).error).toMatchObject({ kind: 'bad_request' });
  });
});

describe('a pull of Meta’s ad insights', () => {
  const usage = (percent: number, minutes: number) => ({
    'x-business-use-case-usage': JSON.stringify({
      9: [{ type: 'ads_insights', call_count: percent, estimated_time_to_regain_access: minutes }],
    }),
  });

  it('stops at 95 % of a limit with what it has, and goes on from there without loss', async () => {
    await using meta = await openMeta({ state: { adDays: FIVE, usage: [{}, usage(96, 12)] } });
    const first = await meta.pull('ad_insights');
    expect(first.pages).toHaveLength(2);
    expect(first.error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date('2026-11-10T12:12:00Z') });
    const second = await meta.pull('ad_insights', { after: first.pages.at(-1)?.cursor });
    expect(second.error).toBeNull();
    expect(new Set(idsIn([...first.pages, ...second.pages])).size).toBe(5);
  });

  it('is over, not limited, when the last page used up the limit', async () => {
    await using meta = await openMeta({ state: { adDays: [adDay(TODAY)], usage: [usage(100, 12)] } });
    expect((await meta.pull('ad_insights')).error).toBeNull();
  });

  it('says when Meta listens again after a refusal between two pages', async () => {
    await using meta = await openMeta({ state: { adDays: FIVE } });
    const refusal = { ...metaError(80_000, 'There have been too many calls'), headers: usage(100, 30) };
    const { pages, error } = await meta.pull('ad_insights', {
      onPage: (page) => page.records.length === 2 && meta.server.next(refusal),
    });
    expect(pages).toHaveLength(1);
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date('2026-11-10T12:30:00Z') });
    const second = await meta.pull('ad_insights', { after: pages[0]?.cursor });
    expect(new Set(idsIn(second.pages)).size).toBe(5);
  });

  it('waits for a second itself when that is all that Meta wants', async () => {
    await using meta = await openMeta({ state: { adDays: [adDay(TODAY)] } });
    const headers = { 'x-ad-account-usage': '{"acc_id_util_pct":100,"reset_time_duration":1}' };
    meta.server.next({ ...metaError(17, 'User request limit reached'), headers });
    const { pages, error } = await meta.pull('ad_insights');
    expect(error).toBeNull();
    expect(idsIn(pages)).toHaveLength(1);
    expect(meta.server.requests).toHaveLength(2);
  });

  it('ends with auth_expired when the token does, as nothing renews it', async () => {
    await using meta = await openMeta({ state: { adDays: FIVE } });
    const { pages, error } = await meta.pull('ad_insights', {
      onPage: () => meta.state.tokens.set(TOKEN, null),
    });
    expect(pages).toHaveLength(1);
    expect(error).toMatchObject({ kind: 'auth_expired', requestId: 'trace-190' });
    expect(meta.server.requests).toHaveLength(2);
  });

  it('names the permission that it lacks', async () => {
    await using meta = await openMeta({ state: { tokens: new Map([[TOKEN, []]]) } });
    const { error } = await meta.pull('ad_insights');
    expect(error).toMatchObject({ kind: 'forbidden_scope', scope: 'ads_read' });
  });

  it('never follows a page to another host', async () => {
    await using other = await startMeta();
    await using meta = await openMeta({ state: { adDays: FIVE, nextOrigin: other.server.url } });
    const { pages, error } = await meta.pull('ad_insights');
    expect(pages).toHaveLength(1);
    expect(error).toMatchObject({ kind: 'bad_request', message: expect.stringContaining('another host') });
    expect(other.server.requests).toEqual([]);
  });

  it('does not go round in circles', async () => {
    await using meta = await openMeta();
    const next = `${meta.server.url}/v26.0/act_1001/insights?after=2`;
    meta.server.next(...Array.from({ length: 9 }, () => ({ json: { data: [], paging: { next } } })));
    const { pages, error } = await meta.pull('ad_insights');
    expect(pages).toHaveLength(2);
    expect(error).toMatchObject({ kind: 'bad_request', message: 'Meta named the same page twice.' });
  });

  it('ends within a second of its signal, even in a pause', { timeout: 1_500 }, async () => {
    await using meta = await openMeta({ state: { adDays: FIVE, usage: [usage(94, 0)] } });
    const stop = new AbortController();
    const { pages, error } = await meta.pull('ad_insights', {
      signal: stop.signal,
      onPage: () => void setImmediate(() => stop.abort(new Error('enough'))),
    });
    expect(pages).toHaveLength(1);
    expect(error).toMatchObject({ message: 'enough' });
  });
});

import { describe, expect, it } from 'vitest';
import type { PulledPage } from '../../../src/connectors/connector.ts';
import { openMeta } from '../../support/providers/meta-connection.ts';
import { metaError, PAGE_TOKEN, TOKEN } from '../../support/providers/meta.ts';

/** Noon in Greenwich is early on the same day in California; a Page’s last whole day is yesterday. */
const YESTERDAY = '2026-11-09';
const TODAY = '2026-11-10';

const PAGE_FIGURES = {
  page_media_view: { '2026-11-08': 120, [YESTERDAY]: 80 },
  page_total_media_view_unique: { '2026-11-08': 100, [YESTERDAY]: 70 },
  page_post_engagements: { '2026-11-08': 0, [YESTERDAY]: 9 },
  page_follows: { '2026-11-08': 1_000, [YESTERDAY]: 1_010 },
};

function factsIn(pages: readonly PulledPage[]) {
  return pages.flatMap((page) => page.records.flatMap((record) => record.facts));
}

function idsIn(pages: readonly PulledPage[]): string[] {
  return pages.flatMap((page) => page.records.map((record) => record.id));
}

const PAGE = { type: 'social_day', network: 'facebook', accountKey: '2002', account: 'Acme Shop' };
const INSTAGRAM = { type: 'social_day', network: 'instagram', accountKey: '3003', account: 'acme.shop' };
const NONE = { followers: null, impressions: 0, engagements: 0 };

describe('Meta’s Page insights', () => {
  it('become facts that add up to each day, asked for with the Page’s own token', async () => {
    await using meta = await openMeta({ state: { pageFigures: PAGE_FIGURES } });
    const { pages, error } = await meta.pull('page_insights');
    expect(error).toBeNull();
    const [one, two] = ['2026-11-08', YESTERDAY];
    expect(factsIn(pages)).toEqual([
      { ...PAGE, ...NONE, key: `2002:${one}:page_media_view`, day: one, impressions: 120 },
      { ...PAGE, ...NONE, key: `2002:${two}:page_media_view`, day: two, impressions: 80 },
      { ...PAGE, ...NONE, key: `2002:${one}:page_post_engagements`, day: one, engagements: 0 },
      { ...PAGE, ...NONE, key: `2002:${two}:page_post_engagements`, day: two, engagements: 9 },
      { ...PAGE, ...NONE, key: `2002:${one}:page_follows`, day: one, followers: 1_000 },
      { ...PAGE, ...NONE, key: `2002:${two}:page_follows`, day: two, followers: 1_010 },
    ]);
    expect(idsIn(pages)).toContain(`2002:${one}:page_total_media_view_unique`);
    expect(pages.at(-1)).toMatchObject({
      cursor: { next: TODAY, readOn: YESTERDAY },
      isLast: true,
      notes: [],
    });
    expect(meta.server.requests.map((request) => request.headers['authorization'])).toEqual([
      `Bearer ${TOKEN}`,
      `Bearer ${PAGE_TOKEN}`,
    ]);
    expect(JSON.stringify(pages)).not.toContain(PAGE_TOKEN);
  });

  it('never ask for more than 90 days, and follow no link into the future', async () => {
    await using meta = await openMeta();
    const { pages, error } = await meta.pull('page_insights', { from: '2026-05-01T12:00:00Z' });
    expect(error).toBeNull();
    const ranges = meta.server.requests
      .slice(1)
      .map(({ query }) => `${query.get('since')} ${query.get('until')}`);
    expect(ranges).toEqual(['2026-05-01 2026-07-29', '2026-07-29 2026-10-26', '2026-10-26 2026-11-10']);
    expect(pages.map((page) => page.cursor)).toEqual(
      ['2026-07-29', '2026-10-26', TODAY].map((next) => ({ next, readOn: YESTERDAY })),
    );
  });

  it('go two years back at most', async () => {
    await using meta = await openMeta();
    await meta.pull('page_insights', { from: '2012-05-01T12:00:00Z' });
    expect(meta.server.requests[1]?.query.get('since')).toBe('2024-11-11');
  });

  it('do without a metric that Meta has retired, say so once and do not ask for it again', async () => {
    const { page_post_engagements: _, ...pageFigures } = PAGE_FIGURES;
    await using meta = await openMeta({ state: { pageFigures } });
    const { pages, error } = await meta.pull('page_insights', { from: '2026-07-01T12:00:00Z' });
    expect(error).toBeNull();
    expect(pages.map((page) => page.notes)).toEqual([
      ['Meta no longer tells page_post_engagements: it is left out.'],
      [],
    ]);
    // Not even a 0, which would stand where something was told before.
    expect(idsIn(pages).filter((id) => id.endsWith('engagements'))).toEqual([]);
    expect(factsIn(pages)).toHaveLength(4);
    expect(meta.server.requests.map(({ query }) => query.get('metric')).at(-1)).toBe(
      'page_media_view,page_total_media_view_unique,page_follows',
    );
  });

  it('count what Meta leaves out as 0, except followers', async () => {
    const left = { [YESTERDAY]: 0 };
    const pageFigures = { ...PAGE_FIGURES, page_media_view: left, page_follows: left };
    await using meta = await openMeta({ state: { pageFigures } });
    const { pages } = await meta.pull('page_insights', { from: '2026-11-09T12:00:00Z' });
    expect(factsIn(pages)).toEqual([
      { ...PAGE, ...NONE, key: `2002:${YESTERDAY}:page_media_view`, day: YESTERDAY },
      { ...PAGE, ...NONE, key: `2002:${YESTERDAY}:page_post_engagements`, day: YESTERDAY, engagements: 9 },
    ]);
  });

  it('fail when no metric is left', async () => {
    await using meta = await openMeta({ state: { pageFigures: {} } });
    const { pages, error } = await meta.pull('page_insights');
    expect(pages).toEqual([]);
    expect(error).toMatchObject({
      kind: 'bad_request',
      message: expect.stringContaining('valid insights metric'),
    });
  });

  it('are one empty page for a small Page, and for no Page', async () => {
    await using small = await openMeta();
    expect((await small.pull('page_insights')).pages).toMatchObject([{ records: [], isLast: true }]);
    await using without = await openMeta({ config: { adAccountId: '1001' } });
    expect((await without.pull('page_insights')).pages).toMatchObject([{ records: [], isLast: true }]);
    expect(without.server.requests).toEqual([]);
  });

  it('lose one figure that makes no sense, and no other', async () => {
    const page_media_view = { '2026-11-07': 3, '2026-11-08': 'lots', [YESTERDAY]: 80 };
    await using meta = await openMeta({ state: { pageFigures: { ...PAGE_FIGURES, page_media_view } } });
    const { pages } = await meta.pull('page_insights');
    expect(idsIn(pages).filter((id) => id.endsWith('page_media_view'))).toEqual([
      '2002:2026-11-07:page_media_view',
      '2002:2026-11-09:page_media_view',
    ]);
    expect(pages[0]?.rejected).toMatchObject([{ key: '2002:2026-11-08:page_media_view' }]);
  });

  it('need the permission to see the Page’s token', async () => {
    await using meta = await openMeta({ state: { tokens: new Map([[TOKEN, ['read_insights']]]) } });
    const { error } = await meta.pull('page_insights');
    expect(error).toMatchObject({ kind: 'forbidden_scope', scope: 'pages_show_list' });
  });

  it('end at 23:30 in California with the day before, though it is tomorrow elsewhere', async () => {
    await using meta = await openMeta({ now: '2026-11-11T07:30:00Z' });
    const { pages } = await meta.pull('page_insights');
    expect(pages.at(-1)?.cursor).toEqual({ next: TODAY, readOn: YESTERDAY });
  });
});

const INSTAGRAM_FIGURES = {
  '2026-11-09': { views: 300, reach: 200, total_interactions: 25, accounts_engaged: 20 },
  '2026-11-10': { views: 30, reach: 20, total_interactions: 2 },
};

describe('Meta’s Instagram insights', () => {
  it('tell each day’s figures, and the followers of today as they are now', async () => {
    await using meta = await openMeta({ state: { instagramFigures: INSTAGRAM_FIGURES } });
    const { pages, error } = await meta.pull('instagram_insights', { from: '2026-11-09T12:00:00Z' });
    expect(error).toBeNull();
    expect(factsIn(pages)).toEqual([
      { ...INSTAGRAM, ...NONE, key: `3003:${YESTERDAY}:views`, day: YESTERDAY, impressions: 300 },
      { ...INSTAGRAM, ...NONE, key: `3003:${YESTERDAY}:total_interactions`, day: YESTERDAY, engagements: 25 },
      { ...INSTAGRAM, ...NONE, key: `3003:${TODAY}:views`, day: TODAY, impressions: 30 },
      { ...INSTAGRAM, ...NONE, key: `3003:${TODAY}:total_interactions`, day: TODAY, engagements: 2 },
      { ...INSTAGRAM, ...NONE, key: `3003:${TODAY}:followers_count`, day: TODAY, followers: 1_500 },
    ]);
    expect(pages.map(({ cursor, isLast }) => ({ cursor, isLast }))).toEqual([
      { cursor: { next: '2026-11-10', readOn: TODAY }, isLast: false },
      { cursor: { next: '2026-11-11', readOn: TODAY }, isLast: true },
    ]);
  });

  it('keep the followers that were counted yesterday when yesterday’s figures are read again', async () => {
    await using meta = await openMeta({ state: { instagramFigures: INSTAGRAM_FIGURES } });
    const { pages } = await meta.pull('instagram_insights', { after: { next: TODAY, readOn: YESTERDAY } });
    const followers = idsIn(pages).filter((id) => id.endsWith('followers_count'));
    expect(followers).toEqual(['3003:2026-11-10:followers_count']);
    expect(idsIn(pages)).toContain('3003:2026-11-09:views');
    // A week before yesterday, to the day.
    expect(pages).toHaveLength(8);
  });

  it('ask for California’s days, of which one in autumn has 25 hours', async () => {
    await using meta = await openMeta({ now: '2026-11-02T20:00:00Z' });
    await meta.pull('instagram_insights', { from: '2026-10-31T12:00:00Z' });
    const iso = (seconds: string | null): string => new Date(Number(seconds) * 1_000).toISOString();
    const ranges = meta.server.requests
      .slice(1)
      .map(({ query }) => [iso(query.get('since')), iso(query.get('until'))]);
    expect(ranges).toEqual([
      ['2026-10-31T07:00:00.000Z', '2026-11-01T07:00:00.000Z'],
      ['2026-11-01T07:00:00.000Z', '2026-11-02T08:00:00.000Z'],
      ['2026-11-02T08:00:00.000Z', '2026-11-02T20:00:00.000Z'],
    ]);
  });

  it('make no row of a day of which nothing is told', async () => {
    await using meta = await openMeta();
    const { pages } = await meta.pull('instagram_insights');
    expect(idsIn(pages)).toEqual(['3003:2026-11-10:followers_count']);
  });

  it('count no followers where their number is not told', async () => {
    await using meta = await openMeta();
    meta.server.next({ json: { id: '3003', username: 'acme.shop' } });
    const { pages, error } = await meta.pull('instagram_insights', { from: '2026-11-10T12:00:00Z' });
    expect(error).toBeNull();
    expect(pages).toMatchObject([{ records: [], rejected: [], isLast: true }]);
  });

  it('go 90 days back at most, and are one empty page for no account', async () => {
    await using meta = await openMeta();
    const { pages } = await meta.pull('instagram_insights', { from: '2012-05-01T12:00:00Z' });
    expect(pages).toHaveLength(90);
    await using without = await openMeta({ config: { pageId: '2002' } });
    expect((await without.pull('instagram_insights')).pages).toMatchObject([{ records: [], isLast: true }]);
    expect(without.server.requests).toEqual([]);
  });

  it('do without a metric that Meta has retired', async () => {
    const instagramMetrics = ['views', 'total_interactions'];
    await using meta = await openMeta({
      state: { instagramFigures: INSTAGRAM_FIGURES, instagramMetrics },
    });
    const { pages, error } = await meta.pull('instagram_insights', { from: '2026-11-10T12:00:00Z' });
    expect(error).toBeNull();
    expect(pages[0]?.notes).toEqual([
      'Meta no longer tells reach: it is left out.',
      'Meta no longer tells accounts_engaged: it is left out.',
    ]);
    expect(factsIn(pages)).toMatchObject([{ impressions: 30 }, { engagements: 2 }, { followers: 1_500 }]);
  });

  it('go on with the last cursor after Meta wanted a pause', async () => {
    await using meta = await openMeta({ state: { instagramFigures: INSTAGRAM_FIGURES } });
    meta.state.usage = [{}, { 'x-app-usage': '{"call_count":97,"total_time":3,"total_cputime":3}' }];
    const first = await meta.pull('instagram_insights', { from: '2026-11-09T12:00:00Z' });
    expect(first.error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date('2026-11-10T12:15:00Z') });
    const second = await meta.pull('instagram_insights', { after: first.pages.at(-1)?.cursor });
    expect(second.error).toBeNull();
    expect(second.pages).toHaveLength(1);
    expect(factsIn([...first.pages, ...second.pages])).toHaveLength(5);
  });

  it('name the permission that they lack', async () => {
    await using meta = await openMeta({ state: { tokens: new Map([[TOKEN, ['instagram_basic']]]) } });
    const { error } = await meta.pull('instagram_insights');
    expect(error).toMatchObject({ kind: 'forbidden_scope', scope: 'instagram_manage_insights' });
  });

  it('go on after trouble of Meta’s own', async () => {
    await using meta = await openMeta({ state: { instagramFigures: INSTAGRAM_FIGURES } });
    meta.server.next(metaError(2, 'Service temporarily unavailable', {}, 503), {
      status: 502,
      text: '<html>',
    });
    expect((await meta.pull('instagram_insights')).error).toBeNull();
  });
});

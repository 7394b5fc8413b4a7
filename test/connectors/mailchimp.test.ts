import { describe, expect, test } from 'vitest';
import type { PulledPage } from '../../src/connectors/connector.ts';
import { mailchimp } from '../../src/connectors/mailchimp.ts';
import { mailchimpList, mailchimpReport } from '../support/providers/mailchimp.ts';
import { idsOf, mailchimpBench, readAll } from '../support/providers/mailchimp-connection.ts';

const bench = mailchimpBench();

describe('campaign reports', () => {
  test('are read in pages of a thousand, those sent between the first moment and now', async () => {
    bench.campaigns(2_001);
    const { pages, error } = await readAll(bench.pull());
    expect(error).toBeNull();
    expect(pages.map(({ records, isLast, total }) => [records.length, isLast, total])).toEqual([
      [1_000, false, 2_001],
      [1_000, false, 2_001],
      [1, true, 2_001],
    ]);
    expect(new Set(idsOf(pages)).size).toBe(2_001);
    expect(bench.mock.requests.map(({ query }) => query.get('offset'))).toEqual(['0', '1000', '2000']);
    const [first] = bench.mock.requests;
    expect(Object.fromEntries(first?.query ?? [])).toEqual({
      count: '1000',
      offset: '0',
      since_send_time: '2026-10-01T00:00:00Z',
      before_send_time: '2026-11-28T12:00:00Z',
      fields:
        'reports.id,reports.type,reports.campaign_title,reports.subject_line,reports.list_id,reports.list_name,' +
        'reports.send_time,reports.emails_sent,reports.unsubscribed,reports.opens,reports.clicks,reports.bounces,' +
        'reports.ecommerce,total_items',
    });
    expect(pages.at(-1)?.cursor).toEqual({ until: '2026-11-28T12:00:00Z' });
  });

  test('of an account that sent nothing are one empty page, the last', async () => {
    const { pages } = await readAll(bench.pull());
    expect(pages).toEqual([
      {
        records: [],
        rejected: [],
        removed: [],
        cursor: { until: '2026-11-28T12:00:00Z' },
        isLast: true,
        total: 0,
        notes: [],
      },
    ]);
  });

  test('say what each campaign came to', async () => {
    bench.mock.state.reports = [
      mailchimpReport('42694e9e57', '2026-11-20T09:30:00+00:00', {
        bounces: { hard_bounces: 3, soft_bounces: 4, syntax_errors: 1 },
        ecommerce: { total_orders: 2, total_spent: 60.5, total_revenue: 49.9, currency_code: 'USD' },
      }),
    ];
    const { pages } = await readAll(bench.pull());
    expect(pages[0]?.records).toEqual([
      {
        id: '42694e9e57',
        data: {
          id: '42694e9e57',
          type: 'regular',
          campaign_title: 'Campaign 42694e9e57',
          subject_line: 'Subject 42694e9e57',
          list_id: 'b1234346',
          list_name: 'Newsletter',
          send_time: '2026-11-20T09:30:00+00:00',
          emails_sent: 100,
          unsubscribed: 2,
          opens: { opens_total: 90, proxy_excluded_opens: 50 },
          clicks: { clicks_total: 12 },
          bounces: { hard_bounces: 3, soft_bounces: 4, syntax_errors: 1 },
          ecommerce: { total_orders: 2, total_revenue: 49.9, currency_code: 'USD' },
        },
        facts: [
          {
            type: 'email_day',
            key: '42694e9e57',
            at: new Date('2026-11-20T09:30:00Z'),
            campaign: 'Campaign 42694e9e57',
            list: 'Newsletter',
            sent: 100,
            opens: 50,
            clicks: 12,
            unsubscribes: 2,
            bounces: 8,
            revenue: { amount: '49.90', currency: 'USD' },
          },
        ],
      },
    ]);
  });

  test('without a title, a list or opens apart from proxies say what there is', async () => {
    bench.mock.state.reports = [
      mailchimpReport('a', '2026-11-20T09:30:00+00:00', {
        campaign_title: '',
        list_name: '',
        opens: { opens_total: 90 },
      }),
    ];
    const { pages } = await readAll(bench.pull());
    expect(pages[0]?.records[0]?.facts).toMatchObject([{ campaign: 'Subject a', list: null, opens: 90 }]);
  });

  test.each([
    ['a double’s noise', 1234.5600000000002, 'USD', '1234.56'],
    ['the noise of a long sum', 12345.670000000158, 'EUR', '12345.67'],
    ['a tenth and two tenths', 0.1 + 0.2, 'USD', '0.30'],
    ['a half that a double has not', 1.005, 'USD', '1.005'],
    ['nothing', 0, 'USD', '0.00'],
    ['less than nothing', -12.5, 'USD', '-12.50'],
    ['much', 987654321012.34, 'USD', '987654321012.34'],
    ['a currency without decimals', 120000, 'JPY', '120000'],
    ['a currency with three', 12.345, 'KWD', '12.345'],
  ])('tell revenue exactly: %s', async (_, total_revenue, currency, amount) => {
    bench.mock.state.reports = [
      mailchimpReport('a', '2026-11-20T09:30:00+00:00', {
        ecommerce: { total_orders: 1, total_revenue, currency_code: currency },
      }),
    ];
    const { pages } = await readAll(bench.pull());
    expect(pages[0]?.records[0]?.facts).toMatchObject([{ revenue: { amount, currency } }]);
  });

  test.each([
    ['nothing is sold', undefined],
    ['there is no currency', { total_orders: 1, total_revenue: 5 }],
    ['the currency is none', { total_orders: 1, total_revenue: 5, currency_code: '???' }],
  ])('have no revenue where %s', async (_, ecommerce) => {
    bench.mock.state.reports = [mailchimpReport('a', '2026-11-20T09:30:00+00:00', { ecommerce })];
    const { pages } = await readAll(bench.pull());
    expect(pages[0]?.rejected).toEqual([]);
    expect(pages[0]?.records[0]?.facts).toMatchObject([{ revenue: null }]);
  });

  test('keep the moment they were sent at, half past eleven at night included', async () => {
    bench.mock.state.reports = [
      mailchimpReport('utc', '2026-11-21T04:30:00+00:00'),
      mailchimpReport('local', '2026-11-20T23:30:00-05:00'),
    ];
    const { pages } = await readAll(bench.pull());
    const at = new Date('2026-11-21T04:30:00Z');
    expect(pages[0]?.records.flatMap(({ facts }) => facts)).toMatchObject([{ at }, { at }]);
  });

  test('of a kind that is new are read as the others', async () => {
    bench.mock.state.reports = [mailchimpReport('a', '2026-11-20T09:30:00+00:00', { type: 'telepathy' })];
    const { pages } = await readAll(bench.pull());
    expect(pages[0]?.records).toMatchObject([{ data: { type: 'telepathy' }, facts: [{ sent: 100 }] }]);
  });

  test('that make no sense are rejected by their id, and the others kept', async () => {
    bench.mock.state.reports = [
      mailchimpReport('good', '2026-11-20T09:30:00+00:00'),
      mailchimpReport('timeless', 'yesterday'),
    ];
    const { pages } = await readAll(bench.pull());
    // Mailchimp itself would never send one.
    expect(idsOf(pages)).toEqual(['good']);
    expect(pages[0]?.rejected).toEqual([{ key: 'timeless', message: expect.stringContaining('send_time') }]);
  });
});

describe('the next run', () => {
  test('reads again what was sent in the thirty days before the last one', async () => {
    bench.campaigns(3);
    const first = await readAll(bench.pull());
    const later = new Date('2026-11-29T12:00:00Z');
    bench.mock.state.reports.push(mailchimpReport('new', '2026-11-29T08:00:00+00:00'));
    const second = await readAll(bench.pull({ after: first.pages.at(-1)?.cursor, now: later }));
    expect(bench.mock.requests.at(-1)?.query.get('since_send_time')).toBe('2026-10-29T12:00:00Z');
    expect(idsOf(second.pages)).toEqual(['new', 'r1', 'r2', 'r3']);
    expect(second.pages.at(-1)).toMatchObject({ isLast: true, cursor: { until: '2026-11-29T12:00:00Z' } });
  });

  test('after one that was broken off ends that one first, then reads what was sent since', async () => {
    bench.smallPages(5);
    const [page] = (await readAll(firstOf(bench.pull()))).pages;
    expect(page?.cursor).toEqual({
      since: '2026-10-01T00:00:00Z',
      until: '2026-11-28T12:00:00Z',
      offset: 2,
      total: 5,
    });
    bench.mock.state.reports.push(mailchimpReport('new', '2026-11-29T08:00:00+00:00'));
    const { pages } = await readAll(
      bench.pull({ after: page?.cursor, now: new Date('2026-11-30T00:00:00Z') }),
    );
    expect(idsOf(pages)).toEqual(['r3', 'r4', 'r5', 'new', 'r1', 'r2', 'r3', 'r4', 'r5']);
    expect(pages.map(({ isLast }) => isLast)).toEqual([false, false, false, false, true]);
    expect(pages[1]?.cursor).toEqual({ until: '2026-11-28T12:00:00Z' });
  });

  test('after a cursor of another release begins at the beginning', async () => {
    bench.campaigns(1);
    await readAll(bench.pull({ after: { page: 7 } }));
    expect(bench.mock.requests[0]?.query.get('since_send_time')).toBe('2026-10-01T00:00:00Z');
  });
});

async function* firstOf<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of items) {
    yield item;
    return;
  }
}

describe('a list that changes while it is read', () => {
  test('loses none when some of it are deleted', async () => {
    bench.smallPages(6);
    const pages: PulledPage[] = [];
    for await (const page of bench.pull()) {
      pages.push(page);
      if (pages.length === 1) bench.mock.state.reports.splice(0, 2);
    }
    expect(idsOf(pages)).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'r6']);
    expect(pages.map(({ total }) => total)).toEqual([6, 4, 4]);
  });

  test('loses none when some are deleted between two runs', async () => {
    bench.smallPages(4);
    const [page] = (await readAll(firstOf(bench.pull()))).pages;
    bench.mock.state.reports.splice(0, 1);
    const { pages } = await readAll(bench.pull({ after: page?.cursor }));
    expect(idsOf(pages).slice(0, 2)).toEqual(['r3', 'r4']);
  });

  test('may show one on two pages, and none is lost', async () => {
    bench.smallPages(3);
    const pages: PulledPage[] = [];
    for await (const page of bench.pull()) {
      pages.push(page);
      if (pages.length === 1)
        bench.mock.state.reports.push(mailchimpReport('late', '2026-11-28T11:59:00+00:00'));
    }
    expect(idsOf(pages)).toEqual(['r1', 'r2', 'r2', 'r3']);
  });
});

describe('audiences', () => {
  test('are listed completely, oldest first, with their figures and without facts', async () => {
    bench.mock.state.lists = ['one', 'two', 'three'].map((id) =>
      mailchimpList(id, '2025-01-01T00:00:00+00:00'),
    );
    bench.mock.state.pageMax = 2;
    const { pages } = await readAll(bench.pull({ entity: 'lists' }));
    expect(pages.map(({ cursor, isLast }) => ({ cursor, isLast }))).toEqual([
      { cursor: { offset: 2, total: 3 }, isLast: false },
      // The next run lists all of them again.
      { cursor: { offset: 0, total: null }, isLast: true },
    ]);
    expect(idsOf(pages)).toEqual(['one', 'two', 'three']);
    expect(pages[0]?.records[0]).toEqual({
      id: 'one',
      data: {
        id: 'one',
        name: 'List one',
        date_created: '2025-01-01T00:00:00+00:00',
        stats: {
          member_count: 120,
          unsubscribe_count: 7,
          cleaned_count: 2,
          campaign_count: 4,
          campaign_last_sent: '2026-11-20T10:00:00+00:00',
          open_rate: 41.5,
        },
      },
      facts: [],
    });
    expect(bench.mock.requests[0]?.query.get('sort_dir')).toBe('ASC');
    expect(mailchimp.entities['lists']?.scan).toBe('complete');
  });

  test('that are deleted meanwhile hide none of the others', async () => {
    bench.mock.state.lists = ['a', 'b', 'c', 'd'].map((id) => mailchimpList(id, '2025-01-01T00:00:00+00:00'));
    bench.mock.state.pageMax = 2;
    const pages: PulledPage[] = [];
    for await (const page of bench.pull({ entity: 'lists' })) {
      pages.push(page);
      if (pages.length === 1) bench.mock.state.lists.shift();
    }
    expect(idsOf(pages)).toEqual(['a', 'b', 'c', 'd']);
  });
});

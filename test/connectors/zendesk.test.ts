import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zendesk } from '../../src/connectors/zendesk.ts';
import { dateIn } from '../../src/domain/period.ts';
import { startMockServer } from '../support/providers/mock-server.ts';
import {
  factsOf,
  idsOf,
  NOON,
  putTickets,
  ticketRow,
  zendeskBench,
  type ZendeskBench,
} from '../support/providers/zendesk-connection.ts';
import { waitFor } from '../support/wait.ts';

const EXPORT = '/api/v2/incremental/tickets/cursor';

let bench: ZendeskBench;

beforeEach(async () => {
  bench = await zendeskBench();
});

afterEach(async () => {
  await bench.mock.close();
  expect(bench.mock.problems).toEqual([]);
});

function pageOf(tickets: readonly unknown[], fields: Readonly<Record<string, unknown>> = {}) {
  return { json: { tickets, metric_sets: [], after_cursor: 'end', end_of_stream: true, ...fields } };
}

function exportQueries(): string[] {
  return bench.mock.requests.filter(({ path }) => path === EXPORT).map(({ query }) => query.toString());
}

describe('tickets of Zendesk', () => {
  it('come in pages, each from the cursor of the one before, to the end of the stream', async () => {
    bench.mock.settings.rowsMax = 2;
    putTickets(bench.mock, 5);
    const { pages, error } = await bench.drain();
    expect(error).toBeNull();
    expect(pages.map((page) => page.records.map(({ id }) => id))).toEqual([['1', '2'], ['3', '4'], ['5']]);
    expect(pages.map(({ isLast }) => isLast)).toEqual([false, false, true]);
    const [first, ...others] = exportQueries();
    expect(first).toBe(`start_time=${Date.UTC(2026, 0, 1) / 1_000}&include=metric_sets&per_page=1000`);
    expect(others.every((query) => query.startsWith('cursor=') && !query.includes('start_time'))).toBe(true);
  });

  it('are facts of support: opened, solved, first answered, rated, by channel', async () => {
    bench.mock.put(
      ticketRow(7, {
        status: 'closed',
        updated_at: '2026-03-06T00:00:00Z',
        via: { channel: 'web' },
        satisfaction_rating: { score: 'good', comment: 'Thanks', id: 3 },
      }),
      {
        id: 1_007,
        ticket_id: 7,
        solved_at: '2026-03-02T10:30:00Z',
        status_updated_at: '2026-03-06T00:00:00Z',
        reply_time_in_minutes: { calendar: 95, business: 35 },
      },
    );
    bench.mock.put(
      ticketRow(8, { via: { channel: 'native_messaging' }, satisfaction_rating: { score: 'bad' } }),
      {
        id: 1_008,
        ticket_id: 8,
        reply_time_in_minutes: { calendar: 1, business: 1 },
        reply_time_in_seconds: { calendar: 45 },
      },
    );
    bench.mock.put(ticketRow(9, { via: {}, satisfaction_rating: { score: 'offered' } }));
    const { pages } = await bench.drain();
    const openedAt = new Date('2026-03-01T09:00:00Z');
    expect(factsOf(pages)).toEqual([
      {
        type: 'ticket',
        key: '7',
        openedAt,
        solvedAt: new Date('2026-03-02T10:30:00Z'),
        firstReplyMinutes: 95,
        satisfaction: 'good',
        channel: 'web',
      },
      {
        type: 'ticket',
        key: '8',
        openedAt,
        solvedAt: null,
        firstReplyMinutes: 0.75,
        satisfaction: 'bad',
        channel: 'native_messaging',
      },
      {
        type: 'ticket',
        key: '9',
        openedAt,
        solvedAt: null,
        firstReplyMinutes: null,
        satisfaction: null,
        channel: null,
      },
    ]);
  });

  it('keep nothing of what people wrote', async () => {
    bench.mock.put(ticketRow(1, { subject: 'A private matter', description: 'My address is …' }));
    const { pages } = await bench.drain();
    expect(JSON.stringify(pages)).not.toMatch(/private|address/);
  });

  it('have the same facts where accounts put the metrics into the ticket', async () => {
    putTickets(bench.mock, 2);
    const beside = await bench.drain();
    bench.mock.settings.metricsPlace = 'inside';
    const inside = await bench.drain();
    expect(factsOf(inside.pages)).toEqual(factsOf(beside.pages));
    expect(inside.pages[0]?.records).toHaveLength(2);
  });

  it('are open again after they were reopened, whenever they were solved before', async () => {
    bench.mock.put(ticketRow(1, { status: 'open' }), {
      id: 2,
      ticket_id: 1,
      solved_at: '2026-03-02T10:30:00Z',
    });
    const { pages } = await bench.drain();
    expect(factsOf(pages)).toMatchObject([{ solvedAt: null }]);
  });

  it('that were closed without being solved ended when their status changed, or else when they did', async () => {
    bench.mock.put(ticketRow(1, { status: 'closed' }), {
      id: 2,
      ticket_id: 1,
      status_updated_at: '2026-03-03T00:00:00Z',
    });
    bench.mock.put(ticketRow(2, { status: 'solved', updated_at: '2026-03-04T00:00:00Z' }));
    const { pages } = await bench.drain();
    expect(factsOf(pages)).toMatchObject([
      { solvedAt: new Date('2026-03-03T00:00:00Z') },
      { solvedAt: new Date('2026-03-04T00:00:00Z') },
    ]);
  });

  it('opened at 23:30 in the account’s zone belong to that day there', async () => {
    bench.mock.put(ticketRow(1, { created_at: '2026-03-08T04:30:00Z' }));
    bench.mock.put(ticketRow(2, { created_at: '2026-03-07T23:30:00-05:00' }));
    const account = await bench.open().check(new AbortController().signal);
    const { pages } = await bench.drain();
    const days = pages.flatMap(({ records }) =>
      records.flatMap(({ facts }) =>
        facts.map((fact) => (fact.type === 'ticket' ? dateIn(account.timeZone ?? '', fact.openedAt) : null)),
      ),
    );
    expect(days).toEqual(['2026-03-07', '2026-03-07']);
  });

  it('are one empty last page where there are none, from which a later run goes on', async () => {
    const { pages, error } = await bench.drain();
    expect(error).toBeNull();
    expect(pages).toMatchObject([{ records: [], removed: [], rejected: [], isLast: true }]);
    bench.mock.put(ticketRow(1));
    expect(idsOf((await bench.drain(pages[0]?.cursor)).pages)).toEqual(['1']);
  });

  it('are asked for from the same start again when an empty account has no cursor yet', async () => {
    bench.mock.next(pageOf([], { after_cursor: null }));
    const { pages } = await bench.drain();
    bench.mock.put(ticketRow(1));
    expect(idsOf((await bench.drain(pages[0]?.cursor)).pages)).toEqual(['1']);
  });

  it('that change while they are read come once more, as they are now', async () => {
    bench.mock.settings.rowsMax = 2;
    putTickets(bench.mock, 3);
    const pages = [];
    for await (const page of bench.pull()) {
      pages.push(page);
      if (pages.length === 1)
        bench.mock.put(ticketRow(1, { status: 'solved' }), {
          id: 9,
          ticket_id: 1,
          solved_at: '2026-03-10T11:00:00Z',
        });
    }
    expect(idsOf(pages)).toEqual(['1', '2', '3', '1']);
    expect(factsOf(pages).at(-1)).toMatchObject({ key: '1', solvedAt: new Date('2026-03-10T11:00:00Z') });
  });

  it('that a page has twice count as they were last', async () => {
    bench.mock.next(
      pageOf([ticketRow(1), ticketRow(2), ticketRow(1, { satisfaction_rating: { score: 'bad' } })]),
    );
    const { pages } = await bench.drain();
    expect(factsOf(pages)).toMatchObject([{ key: '1', satisfaction: 'bad' }, { key: '2' }]);
  });

  it('that were deleted are told as gone, and are no record', async () => {
    putTickets(bench.mock, 2);
    bench.mock.put(ticketRow(2, { status: 'deleted' }));
    bench.mock.next(pageOf([ticketRow(3), ticketRow(3, { status: 'deleted' })]));
    expect((await bench.drain()).pages).toMatchObject([{ records: [], removed: ['3'] }]);
    expect((await bench.drain()).pages).toMatchObject([{ records: [{ id: '1' }], removed: ['2'] }]);
  });

  it('with values that we do not know are read all the same', async () => {
    bench.mock.next(
      pageOf([
        ticketRow(1, { status: 'paused', via: { channel: 77 }, satisfaction_rating: { score: 'great' } }),
      ]),
    );
    const { pages } = await bench.drain();
    expect(factsOf(pages)).toMatchObject([{ key: '1', solvedAt: null, satisfaction: null, channel: '77' }]);
  });

  it('that make no sense are rejected by their id, and the others kept', async () => {
    bench.mock.next(
      pageOf([ticketRow(1), ticketRow(2, { created_at: 'yesterday' }), 'nonsense', ticketRow(4)]),
    );
    const { pages, error } = await bench.drain();
    expect(error).toBeNull();
    expect(idsOf(pages)).toEqual(['1', '4']);
    expect(pages[0]?.rejected.map(({ key }) => key)).toEqual(['2', 'record 3']);
    expect(pages[0]?.rejected[0]?.message).toContain('created_at');
  });

  it.each([
    ['a time below zero', { metric_set: { reply_time_in_minutes: { calendar: -5 } } }],
    ['seconds below zero', { metric_set: { reply_time_in_seconds: { calendar: -5 } } }],
    ['a channel without end', { via: { channel: 'x'.repeat(501) } }],
  ])('that no fact could hold, for %s, are rejected and do not end the run', async (_what, fields) => {
    bench.mock.next(pageOf([ticketRow(1, fields), ticketRow(2)]));
    const { pages, error } = await bench.drain();
    expect(error).toBeNull();
    expect(idsOf(pages)).toEqual(['2']);
    expect(pages[0]?.rejected.map(({ key }) => key)).toEqual(['1']);
  });

  it('are never asked for from a moment less than a minute ago', async () => {
    const run = { account: await bench.open().check(new AbortController().signal), from: NOON, after: null };
    for await (const page of bench.open().pull('tickets', { ...run, signal: new AbortController().signal }))
      expect(page.isLast).toBe(true);
    expect(exportQueries()[0]).toContain(`start_time=${NOON.getTime() / 1_000 - 120}&`);
  });

  it('begin at their first moment again when Zendesk does not read a stored cursor any more', async () => {
    putTickets(bench.mock, 2);
    const { pages: before } = await bench.drain();
    const stored = {
      ...z.record(z.string(), z.unknown()).parse(before[0]?.cursor),
      after: 'of an older Zendesk',
    };
    const { pages, error } = await bench.drain(stored);
    expect(error).toBeNull();
    expect(idsOf(pages)).toEqual(['1', '2']);
    expect(pages[0]?.notes).toEqual([expect.stringContaining('began anew')]);
    expect(exportQueries().at(-1)).toContain('start_time=');
    expect(idsOf((await bench.drain(pages.at(-1)?.cursor)).pages)).toEqual([]);
  });

  it('go on by the cursor alone: no request goes to the host of a page’s address', async () => {
    const foreign = await startMockServer({ handle: () => ({ json: {} }), contract: null });
    bench.mock.settings.nextHost = foreign.url;
    bench.mock.settings.rowsMax = 1;
    putTickets(bench.mock, 3);
    expect(idsOf((await bench.drain()).pages)).toEqual(['1', '2', '3']);
    expect(foreign.requests).toEqual([]);
    await foreign.close();
  });

  it('end with an error, not in a circle, when the next page is this one', async () => {
    bench.mock.next(pageOf([ticketRow(1)], { after_cursor: 'a', end_of_stream: false }));
    bench.mock.next(pageOf([ticketRow(2)], { after_cursor: 'a', end_of_stream: false }));
    const { pages, error } = await bench.drain();
    expect(idsOf(pages)).toEqual(['1', '2']);
    expect(error).toMatchObject({ kind: 'transient', message: 'Zendesk named no next page of tickets.' });
  });
});

describe('Zendesk in trouble', () => {
  it.each([
    ['an error', { status: 500, json: { error: 'InternalError' } }],
    ['a page of its gateway', { status: 502, text: '<html><h1>Bad gateway</h1></html>' }],
    ['something that is no JSON', { status: 200, text: '{"tickets": [' }],
    ['half of an answer', { ...pageOf([ticketRow(1)]), isTruncated: true }],
  ])('is asked again after %s', async (_what, answer) => {
    putTickets(bench.mock, 2);
    bench.mock.next(answer, answer);
    const { pages, error } = await bench.drain();
    expect(error).toBeNull();
    expect(idsOf(pages)).toEqual(['1', '2']);
    expect(bench.mock.requests).toHaveLength(3);
  });

  it('is asked for a smaller page when a large one does not come, until the stream has ended', async () => {
    putTickets(bench.mock, 3);
    bench.mock.settings.rowsMax = 2;
    bench.mock.next(...Array.from({ length: 5 }, () => ({ status: 504, text: 'timeout' })));
    const { pages } = await bench.drain();
    expect(idsOf(pages)).toEqual(['1', '2', '3']);
    expect(pages.map(({ cursor }) => cursor)).toMatchObject([{ pageSize: 100 }, { pageSize: 1_000 }]);
    expect(exportQueries().map((query) => /per_page=(\d+)/.exec(query)?.[1])).toEqual([
      ...Array.from({ length: 5 }, () => '1000'),
      '100',
      '100',
    ]);
  });

  it('is given up after ten answers, with nothing lost', async () => {
    bench.mock.next(...Array.from({ length: 10 }, () => ({ status: 500, json: {} })));
    const { pages, error } = await bench.drain();
    expect(pages).toEqual([]);
    expect(error).toMatchObject({ kind: 'transient', message: 'Zendesk answered HTTP 500.' });
  });

  it('that answers something else than tickets is told so', async () => {
    bench.mock.next({ json: { hello: 'world' } });
    expect((await bench.drain()).error).toMatchObject({ kind: 'transient' });
  });

  it.each([
    [
      { error: 'RecordInvalid', description: 'Too recent' },
      'Zendesk answered HTTP 422: RecordInvalid: Too recent',
    ],
    [
      { error: { title: 'Invalid', message: 'Bad cursor' } },
      'Zendesk answered HTTP 422: Invalid: Bad cursor',
    ],
    [{ errors: [{ code: 'X', detail: 'No' }, { title: 'Nor' }] }, 'Zendesk answered HTTP 422: X: No: Nor'],
    [{ error: 42 }, 'Zendesk answered HTTP 422.'],
    [{ error: 'So '.repeat(200) }, `Zendesk answered HTTP 422: ${'So '.repeat(200).slice(0, 200)}`],
  ])('says what is wrong in any of its ways: %j', async (json, message) => {
    bench.mock.next({ status: 422, json, headers: { 'x-zendesk-request-id': 'abc-1' } });
    expect((await bench.drain()).error).toMatchObject({ kind: 'bad_request', message, requestId: 'abc-1' });
  });

  it('lets go of a run that is ended while it waits', async () => {
    const abort = new AbortController();
    const ends = new Error('stopped by a person');
    bench.mock.next({ status: 500, json: {} });
    const checked = bench.open({ baseMs: 3_600_000, maxMs: 3_600_000 }).check(abort.signal);
    await Promise.all([
      expect(checked).rejects.toBe(ends),
      waitFor(() => bench.mock.requests.length > 0).then(() => abort.abort(ends)),
    ]);
  });

  it('lets go of a run that is ended while it does not answer', async () => {
    const abort = new AbortController();
    const ends = new Error('stopped by a person');
    const silent = createServer(() => abort.abort(ends)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const connection = zendesk.open({
      config: { subdomain: 'acme' },
      credentials: bench.store,
      clock: bench.clock,
      baseUrl: `http://127.0.0.1:${port ?? 0}`,
    });
    await expect(connection.check(abort.signal)).rejects.toBe(ends);
    silent.closeAllConnections();
    silent.close();
  });
});

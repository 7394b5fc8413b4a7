import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PulledPage } from '../../../src/connectors/connector.ts';
import {
  idsOf,
  NOON,
  putTickets,
  zendeskBench,
  type ZendeskBench,
} from '../../support/providers/zendesk-connection.ts';

const MINUTE_MS = 60_000;

let bench: ZendeskBench;

beforeEach(async () => {
  bench = await zendeskBench();
  bench.mock.settings.rowsMax = 1;
});

afterEach(async () => {
  await bench.mock.close();
  expect(bench.mock.problems).toEqual([]);
});

function inSeconds(seconds: number): Date {
  return new Date(NOON.getTime() + seconds * 1_000);
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describe('exports of Zendesk', () => {
  it.each([
    ['as it tells them', true],
    ['by our own count where it does not', false],
  ])(
    'come ten in a minute, %s, and go on where they were without a loss or a refusal',
    async (_how, tellsLimits) => {
      bench.mock.settings.tellsLimits = tellsLimits;
      putTickets(bench.mock, 24);
      const runs = [];
      let after: unknown = null;
      for (let run = 0; run < 3; run += 1) {
        const pulled = await bench.drain(after);
        runs.push({ ids: idsOf(pulled.pages), error: pulled.error });
        after = pulled.pages.at(-1)?.cursor;
        bench.clock.pass(MINUTE_MS);
      }
      expect(runs).toEqual([
        {
          ids: numbers(1, 10),
          error: expect.objectContaining({ kind: 'rate_limited', resumeAt: inSeconds(60) }),
        },
        {
          ids: numbers(11, 20),
          error: expect.objectContaining({ kind: 'rate_limited', resumeAt: inSeconds(120) }),
        },
        { ids: numbers(21, 24), error: null },
      ]);
      expect(bench.mock.refusals()).toBe(0);
    },
  );

  it('say in words when they go on', async () => {
    putTickets(bench.mock, 11);
    expect((await bench.drain()).error).toMatchObject({
      message: 'Zendesk gives out no more pages until 2026-03-10T12:01:00.000Z.',
    });
  });

  it('come as fast as accounts with a higher limit may ask', async () => {
    bench.mock.settings.exportsPerMinute = 30;
    putTickets(bench.mock, 24);
    const { pages, error } = await bench.drain();
    expect(error).toBeNull();
    expect(idsOf(pages)).toEqual(numbers(1, 24));
  });

  it('are counted anew when a minute has gone by during a run', async () => {
    bench.mock.settings.tellsLimits = false;
    putTickets(bench.mock, 18);
    const ids: string[] = [];
    for await (const page of bench.pull()) {
      ids.push(...idsOf([page]));
      if (ids.length === 9) bench.clock.pass(MINUTE_MS);
    }
    expect(ids).toEqual(numbers(1, 18));
  });

  it('wait for the account’s own limit as well, for whichever is longer', async () => {
    putTickets(bench.mock, 3);
    bench.mock.settings.account = { left: 0, resets: 41 };
    const first = await bench.drain();
    expect(idsOf(first.pages)).toEqual(['1']);
    expect(first.error).toMatchObject({ kind: 'rate_limited', resumeAt: inSeconds(41) });
    bench.mock.settings.exportsPerMinute = 2;
    const second = await bench.drain(first.pages[0]?.cursor);
    expect(second.error).toMatchObject({ kind: 'rate_limited', resumeAt: inSeconds(60) });
  });

  it('wait a short while on the spot', async () => {
    putTickets(bench.mock, 3);
    bench.mock.settings.account = { left: 0, resets: 0 };
    const { pages, error } = await bench.drain();
    expect(error).toBeNull();
    expect(idsOf(pages)).toEqual(['1', '2', '3']);
  });

  it('end at once with the signal while they wait', async () => {
    putTickets(bench.mock, 2);
    bench.mock.settings.account = { left: 0, resets: 5 };
    const abort = new AbortController();
    const ends = new Error('stopped by a person');
    const pages = bench.pull(null, abort.signal)[Symbol.asyncIterator]();
    await pages.next();
    const next = pages.next();
    abort.abort(ends);
    await expect(next).rejects.toBe(ends);
    expect(bench.mock.requests).toHaveLength(1);
  });

  it('are asked for again after a short refusal in the middle', async () => {
    putTickets(bench.mock, 2);
    const pages = bench.pull()[Symbol.asyncIterator]();
    await pages.next();
    bench.mock.next({ status: 429, headers: { 'retry-after': '0' }, json: { error: 'TooManyRequests' } });
    await expect(pages.next()).resolves.toMatchObject({ value: { records: [{ id: '2' }], isLast: true } });
    expect(bench.mock.requests).toHaveLength(3);
  });

  it.each([
    ['as long as a refusal says', { status: 429, headers: { 'retry-after': '93' } }, 93],
    ['a minute where a refusal does not say', { status: 429 }, 60],
    ['for the end of its maintenance', { status: 503, headers: { 'retry-after': '3600' } }, 3_600],
  ])('wait %s, and go on from the last page without a loss', async (_what, answer, seconds) => {
    putTickets(bench.mock, 3);
    const pages: PulledPage[] = [];
    const run = async (): Promise<void> => {
      for await (const page of bench.pull()) {
        pages.push(page);
        bench.mock.next({ json: { error: 'TooManyRequests' }, ...answer });
      }
    };
    await expect(run()).rejects.toMatchObject({ kind: 'rate_limited', resumeAt: inSeconds(seconds) });
    bench.clock.set(inSeconds(seconds));
    const rest = await bench.drain(pages.at(-1)?.cursor);
    expect(idsOf([...pages, ...rest.pages])).toEqual(['1', '2', '3']);
  });
});

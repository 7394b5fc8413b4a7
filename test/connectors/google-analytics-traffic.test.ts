import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { PulledPage } from '../../src/connectors/connector.ts';
import {
  addTwoDays,
  failureOf,
  googleAnalyticsBench,
  storedOf,
  type GoogleAnalyticsBench,
} from '../support/providers/google-analytics-connection.ts';
import { dailyVisits, refusal, type GoogleAnalyticsMock } from '../support/providers/google-analytics.ts';

let bench: GoogleAnalyticsBench;
let mock: GoogleAnalyticsMock;
/** What the mocks of earlier tests found wrong */
const problems: string[] = [];

beforeEach(async () => {
  bench = await googleAnalyticsBench();
  mock = bench.mock;
});

afterEach(async () => {
  problems.push(...mock.problems);
  await mock.close();
});

const factsOf = (pages: readonly PulledPage[]) =>
  pages.flatMap(({ records }) => records.flatMap(({ facts }) => facts));
const idsOf = (pages: readonly PulledPage[]) => pages.flatMap(({ records }) => records.map(({ id }) => id));
const dateRangesOf = (report: unknown) => z.object({ dateRanges: z.unknown() }).parse(report).dateRanges;

describe('a pull', () => {
  it('gives facts by day and channel, by day, and for each window', async () => {
    addTwoDays(mock);
    const facts = factsOf(await bench.pull());
    const fact = (key: string, windowDays: number, channel: string | null, counts: readonly number[]) => {
      const [sessions, pageviews, engagedSessions, users, newUsers] = counts;
      const day = `2026-11-${key.slice(6, 8)}`;
      return {
        type: 'traffic_day',
        key,
        day,
        windowDays,
        channel,
        sessions,
        pageviews,
        engagedSessions,
        users,
        newUsers,
      };
    };
    expect(facts).toEqual([
      {
        type: 'traffic_day',
        key: '20261126 1 Direct',
        day: '2026-11-26',
        windowDays: 1,
        channel: 'Direct',
        sessions: 1,
        pageviews: 2,
        engagedSessions: 1,
        users: 1,
        newUsers: 1,
      },
      fact('20261126 1 Organic Search', 1, 'Organic Search', [2, 4, 1, 2, 1]),
      fact('20261127 1 Direct', 1, 'Direct', [1, 1, 0, 1, 0]),
      fact('20261126 1', 1, null, [3, 6, 2, 2, 2]),
      fact('20261127 1', 1, null, [1, 1, 0, 1, 0]),
      ...[7, 28, 30, 90, 365].map((days) => fact(`20261126 ${days}`, days, null, [3, 6, 2, 2, 2])),
      ...[7, 28, 30, 90, 365].map((days) => fact(`20261127 ${days}`, days, null, [4, 7, 2, 2, 2])),
    ]);
  });

  it('keeps what it read as JSON, with the days of the property', async () => {
    addTwoDays(mock);
    const [page] = await bench.pull();
    expect(page?.records[1]?.data).toEqual({
      id: '20261126 1 Organic Search',
      date: '2026-11-26',
      windowDays: 1,
      channel: 'Organic Search',
      sessions: 2,
      screenPageViews: 4,
      engagedSessions: 1,
      activeUsers: 2,
      newUsers: 1,
    });
  });

  it('asks for the days and windows that it should, in five requests', async () => {
    await bench.pull({ from: '2026-11-20T12:00:00Z' });
    const daily = { startDate: '2026-11-20', endDate: '2026-11-27' };
    expect(mock.reports.map((report) => dateRangesOf(report))).toEqual([
      [daily],
      [daily],
      [
        { name: 'users_7_20261126', startDate: '2026-11-20', endDate: '2026-11-26' },
        { name: 'users_28_20261126', startDate: '2026-10-30', endDate: '2026-11-26' },
        { name: 'users_30_20261126', startDate: '2026-10-28', endDate: '2026-11-26' },
        { name: 'users_90_20261126', startDate: '2026-08-29', endDate: '2026-11-26' },
      ],
      [
        { name: 'users_365_20261126', startDate: '2025-11-27', endDate: '2026-11-26' },
        { name: 'users_7_20261127', startDate: '2026-11-21', endDate: '2026-11-27' },
        { name: 'users_28_20261127', startDate: '2026-10-31', endDate: '2026-11-27' },
        { name: 'users_30_20261127', startDate: '2026-10-29', endDate: '2026-11-27' },
      ],
      [
        { name: 'users_90_20261127', startDate: '2026-08-30', endDate: '2026-11-27' },
        { name: 'users_365_20261127', startDate: '2025-11-28', endDate: '2026-11-27' },
      ],
    ]);
  });

  it('reads a report of three pages to its end', async () => {
    mock.property.visits.push(...dailyVisits('2026-11-27', 7));
    mock.rowsMax = 3;
    const pages = await bench.pull({ from: '2026-11-21T12:00:00Z' });
    expect(pages.slice(0, 3).map(({ records }) => records.length)).toEqual([3, 3, 1]);
    expect(new Set(idsOf(pages)).size).toBe(7 + 7 + 10);
    expect(pages.map(({ isLast }) => isLast)).toEqual([...pages.slice(1).map(() => false), true]);
  });

  it('gives one empty page for a property without visits', async () => {
    const pages = await bench.pull();
    expect(pages).toEqual([
      {
        records: [],
        rejected: [],
        removed: [],
        cursor: { day: '2026-11-25' },
        isLast: true,
        total: null,
        notes: [],
      },
    ]);
  });

  it('loses nothing when rows move between two pages: one comes twice', async () => {
    mock.property.visits.push(...dailyVisits('2026-11-27', 6));
    mock.rowsMax = 3;
    const early = { date: '2026-11-22', channel: 'Affiliates', user: 'late', pageviews: 1 };
    mock.afterReport(() => mock.property.visits.push(early));
    const pages = await bench.pull({ from: '2026-11-22T12:00:00Z' });
    const ids = idsOf(pages).filter((id) => id.endsWith('Direct'));
    expect(ids).toHaveLength(7);
    expect(new Set(ids).size).toBe(6);
  });

  it('does not take a report that ends too early for a whole one', async () => {
    mock.property.visits.push(...dailyVisits('2026-11-27', 6));
    mock.rowsMax = 3;
    mock.afterReport(() => {
      mock.rowsMax = 0;
    });
    const error = await failureOf(bench.pull({ from: '2026-11-22T12:00:00Z' }));
    expect(error).toMatchObject({
      kind: 'transient',
      message: 'Google Analytics ended a report before its last row.',
    });
  });

  it('counts days as the property does: half an hour before its midnight it is still today', async () => {
    bench.clock.set(new Date('2026-11-28T04:30:00Z'));
    mock.property.visits.push(...dailyVisits('2026-11-27', 2));
    // 23:30 of the 25th in New York
    const pages = await bench.pull({ from: '2026-11-26T04:30:00Z' });
    expect(factsOf(pages).filter(({ key }) => key.endsWith('Direct'))).toMatchObject([
      { day: '2026-11-26' },
      { day: '2026-11-27' },
    ]);
    expect(mock.reports[0]).toMatchObject({
      dateRanges: [{ startDate: '2026-11-25', endDate: '2026-11-27' }],
    });
  });

  it('keeps a channel that is newer than this release', async () => {
    mock.property.visits.push({ date: '2026-11-27', channel: 'AI Assistant', user: 'Ann', pageviews: 1 });
    expect(factsOf(await bench.pull())[0]).toMatchObject({ channel: 'AI Assistant', sessions: 1 });
  });

  it('rejects rows that make no sense, and keeps the others', async () => {
    addTwoDays(mock);
    const value = (text: string) => ({ value: text });
    const counts = ['1', '1', '1', '1', '1'].map(value);
    mock.property.strayRows = [
      { dimensionValues: [value('(other)'), value('(other)')], metricValues: counts },
      {
        dimensionValues: [value('20261127'), value('Email')],
        metricValues: [value('many'), ...counts.slice(1)],
      },
      { dimensionValues: [value('20261127')], metricValues: counts },
    ];
    const [page] = await bench.pull();
    expect(page?.records.map(({ id }) => id)).toEqual([
      '20261126 1 Direct',
      '20261126 1 Organic Search',
      '20261127 1 Direct',
    ]);
    expect(page?.rejected.map(({ key }) => key)).toEqual([
      '(other) 1 (other)',
      '20261127 1 Email',
      'record 6',
    ]);
    expect(page?.rejected[1]?.message).toContain('expected a whole number');
  });

  it('tells what Google says of the figures', async () => {
    addTwoDays(mock);
    mock.property.flags = {
      subjectToThresholding: true,
      dataLossFromOtherRow: true,
      samplingMetadatas: [{ samplesReadCount: '250', samplingSpaceSize: '1000' }],
      dataTruncationReasons: [
        { dataTruncationType: 'DATA_TRUNCATION_TYPE_OF_TOMORROW' },
        { dataTruncationMessage: 'Data before 2026 is gone.' },
      ],
    };
    const [page] = await bench.pull();
    expect(page?.notes).toEqual([
      'Google Analytics estimated figures from a sample of 25 % of the events.',
      'Google Analytics may have withheld figures of few users (thresholding).',
      'Google Analytics put rows together as "(other)": their details are lost.',
      'Google Analytics left data out: DATA_TRUNCATION_TYPE_OF_TOMORROW',
      'Google Analytics left data out: Data before 2026 is gone.',
    ]);
  });
});

describe('a run that goes on', () => {
  it('reads today and the three days before it again', async () => {
    mock.property.visits.push(...dailyVisits('2026-11-27', 20));
    const first = await bench.pull({ from: '2026-11-10T12:00:00Z' });
    expect(first.at(-1)?.cursor).toEqual({ day: '2026-11-23' });
    await bench.pull({ after: first.at(-1)?.cursor });
    expect(mock.reports[5]).toMatchObject({
      dateRanges: [{ startDate: '2026-11-24', endDate: '2026-11-27' }],
    });
  });

  it('reads a long time in months, and goes on after the last whole one', async () => {
    mock.property.visits.push(...dailyVisits('2026-11-27', 100));
    const from = '2026-08-20T12:00:00Z';
    const whole = await bench.pull({ from });
    expect(whole.map(({ cursor }) => cursor)).toEqual(
      [
        '2026-08-19',
        '2026-09-19',
        '2026-09-19',
        '2026-10-20',
        '2026-10-20',
        '2026-11-20',
        ...Array<string>(4).fill('2026-11-20'),
        '2026-11-23',
      ].map((day) => ({ day })),
    );
    for (const stopAfter of whole.keys()) {
      const before = whole.slice(0, stopAfter + 1);
      const rest = await bench.pull({ from, after: before.at(-1)?.cursor });
      expect(storedOf([...before, ...rest])).toEqual(storedOf(whole));
    }
  });

  it('starts anew with a cursor of another release', async () => {
    await bench.pull({ after: { page: 7 } });
    expect(mock.reports[0]).toMatchObject({ dateRanges: [{ startDate: '2026-11-26' }] });
  });

  it('reads today, however far ahead its cursor is', async () => {
    const pages = await bench.pull({ after: { day: '2026-12-24' } });
    expect(mock.reports[0]).toMatchObject({
      dateRanges: [{ startDate: '2026-11-27', endDate: '2026-11-27' }],
    });
    expect(pages.at(-1)?.isLast).toBe(true);
  });
});

describe('quotas', () => {
  const from = '2026-09-15T12:00:00Z';

  it.each([
    ['tokensPerHour', '2026-11-27T11:00:00Z'],
    ['tokensPerProjectPerHour', '2026-11-27T11:00:00Z'],
    ['tokensPerDay', '2026-11-28T08:00:00Z'],
  ] as const)('that are nearly used up end the run after a whole month: %s', async (quota, resumeAt) => {
    mock.property.visits.push(...dailyVisits('2026-11-27', 90));
    const whole = storedOf(await bench.pull({ from }));
    mock.quota[quota] = 205;
    const pages: PulledPage[] = [];
    const error = await failureOf(bench.pull({ from }, pages));
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date(resumeAt) });
    expect(pages).toHaveLength(2);
    mock.quota[quota] = 10_000;
    const rest = await bench.pull({ from, after: pages.at(-1)?.cursor });
    expect(storedOf([...pages, ...rest])).toEqual(whole);
  });

  it('that are nearly used up at the end of a run end nothing', async () => {
    mock.quota.tokensPerHour = 100;
    expect((await bench.pull()).at(-1)?.isLast).toBe(true);
  });

  it.each([
    ['tokensPerHour', '2026-11-27T11:00:00Z', 'Exhausted property tokens per hour.'],
    ['tokensPerProjectPerHour', '2026-11-27T11:00:00Z', 'Exhausted property tokens for a project per hour.'],
    ['tokensPerDay', '2026-11-28T08:00:00Z', 'Exhausted property tokens per day.'],
  ] as const)('that are used up within a month lose nothing of it: %s', async (quota, resumeAt, message) => {
    mock.property.visits.push(...dailyVisits('2026-11-27', 90));
    const whole = storedOf(await bench.pull({ from }));
    mock.quota[quota] = 5;
    const pages: PulledPage[] = [];
    const error = await failureOf(bench.pull({ from }, pages));
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date(resumeAt) });
    expect(error.message).toContain(message);
    expect(pages).toHaveLength(1);
    mock.quota[quota] = 10_000;
    const rest = await bench.pull({ from, after: pages.at(-1)?.cursor });
    expect(storedOf([...pages, ...rest])).toEqual(whole);
  });

  it('of requests at a time are waited for', async () => {
    const connection = bench.connect();
    await bench.check(connection);
    const full = refusal(429, 'RESOURCE_EXHAUSTED', 'Exhausted concurrent requests quota.');
    mock.next(full, full);
    expect((await bench.pull({ connection })).at(-1)?.isLast).toBe(true);
  });

  it.each([
    ['Exhausted client errors quota. These quota tokens will return in under 15 minutes.', {}, '10:15:00'],
    ['Quota exceeded for quota metric "Requests" and limit "Requests per minute".', {}, '10:01:00'],
    ['Slow down.', { 'retry-after': '90' }, '10:01:30'],
    ['Exhausted something new.', {}, '11:00:00'],
  ])('tell when they return: %s', async (message, headers, time) => {
    const connection = bench.connect();
    await bench.check(connection);
    mock.next({ ...refusal(429, 'RESOURCE_EXHAUSTED', message), headers });
    const error = await failureOf(bench.pull({ connection }));
    expect(error).toMatchObject({ kind: 'rate_limited', resumeAt: new Date(`2026-11-27T${time}Z`) });
  });
});

it('what was asked and answered is as Google’s specification has it', () => {
  expect(problems).toEqual([]);
});

import { describe, expect, test } from 'vitest';
import type { PanelFailure, SourceReport } from '../../src/panels/reading.ts';
import { standingOf, toSource } from '../../src/panels/state.ts';

const older = new Date('2026-06-15T09:00:00Z');
const newer = new Date('2026-06-15T11:00:00Z');
const failure: PanelFailure = { code: 'SOURCE_AUTH', message: 'Sign in again.', retryAt: null };

const ready: SourceReport = { state: 'READY', label: 'Shop', asOf: newer, counted: true };
const stale: SourceReport = { state: 'STALE', label: 'Shop', asOf: older, failure: null, counted: true };
const staleByFailure: SourceReport = { ...stale, failure };
const loading: SourceReport = { state: 'LOADING', label: 'Shop', counted: true };
const failed: SourceReport = { state: 'FAILED', label: 'Shop', failure, counted: true };
const gone: SourceReport = { state: 'NOT_CONNECTED', label: 'Shop', counted: true };

describe("a panel's state follows from its sources", () => {
  test.each<[string, SourceReport[], object]>([
    ['no source', [], { state: 'NOT_CONNECTED', asOf: null, failure: null }],
    ['only disconnected ones', [gone], { state: 'NOT_CONNECTED', asOf: null, failure: null }],
    ['one filled source', [ready], { state: 'READY', asOf: newer, failure: null }],
    [
      'one that is old: as old as its oldest figures',
      [ready, stale],
      { state: 'STALE', asOf: older, failure: null },
    ],
    ['one that fails with old figures', [staleByFailure], { state: 'STALE', asOf: older, failure }],
    ['one that fails beside a filled one', [ready, failed], { state: 'STALE', asOf: newer, failure }],
    ['one that loads for the first time', [loading], { state: 'LOADING', asOf: null, failure: null }],
    ['one that loads beside a filled one', [ready, loading], { state: 'READY', asOf: newer, failure: null }],
    ['one whose first filling failed', [failed, loading], { state: 'FAILED', asOf: null, failure }],
    [
      'one that fails and is left out by choice',
      [ready, { ...failed, counted: false }],
      { state: 'READY', asOf: newer, failure: null },
    ],
  ])('%s', (_name, reports, standing) => {
    expect(standingOf(reports)).toEqual(standing);
  });
});

test('only a source with figures that count is included', () => {
  const reports = [ready, stale, { ...ready, counted: false }, loading, failed];
  expect(reports.map((report) => toSource(report).included)).toEqual([true, true, false, false, false]);
});

import { describe, expect, test } from 'vitest';
import { panelRegistry } from '../../src/panels/index.ts';
import { PanelError } from '../../src/panels/panel.ts';
import { PANEL_KEYS } from '../../src/domain/panel.ts';
import {
  fakeClock,
  never,
  organization,
  otherOrganization,
  panelsWith,
  period,
  ready,
  trafficLoad,
  trafficPanel,
  trafficValues,
} from './support.ts';
import type { PanelsOptions } from './support.ts';

/** Panels whose traffic loader runs the given steps, one per read, and the last one for ever. */
function scripted(steps: (() => unknown)[], options: PanelsOptions & { deadlineMs?: number } = {}) {
  let loads = 0;
  const load = () => steps[Math.min(loads++, steps.length - 1)]?.();
  const panels = panelsWith({ ...options, panels: { traffic: trafficPanel(load, options.deadlineMs) } });
  return { read: () => panels.read('traffic', organization, period), panels, loads: () => loads };
}

const boom = () => {
  throw new Error('connect ECONNREFUSED 10.0.0.7:443');
};
const good = () => trafficLoad;

describe('a loader that works', () => {
  test('gives a READY panel with its values, sources and asOf', async () => {
    expect(await scripted([good]).read()).toEqual({
      key: 'traffic',
      period,
      state: 'READY',
      asOf: new Date('2026-06-15T11:00:00Z'),
      failure: null,
      refreshJobId: null,
      sources: [
        {
          label: 'Shop analytics',
          state: 'READY',
          asOf: new Date('2026-06-15T11:00:00Z'),
          failure: null,
          included: true,
        },
      ],
      values: trafficValues,
    });
  });

  test('that was never filled gives LOADING with the job that fills it, and no values', async () => {
    const refreshJobId = '01930000-0000-7000-8000-00000000000a';
    const source = { state: 'LOADING', label: 'Shop analytics', counted: true };
    const reading = await scripted([() => ({ sources: [source], refreshJobId, values: null })]).read();
    expect(reading).toMatchObject({ state: 'LOADING', refreshJobId, values: null, asOf: null });
  });
});

describe('a loader that fails without good values to show gives FAILED', () => {
  const failed = { state: 'FAILED', values: null, asOf: null, sources: [] };

  test('SOURCE_FAILED when it throws, with words for people and the cause in the log only', async () => {
    const lines: string[] = [];
    const reading = await scripted([boom], { lines }).read();
    expect(reading).toMatchObject({ ...failed, failure: { code: 'SOURCE_FAILED', retryAt: null } });
    expect(JSON.stringify(reading)).not.toContain('ECONNREFUSED');
    expect(lines.join()).toContain('ECONNREFUSED');
  });

  test.each([
    ['a rejected promise', () => Promise.reject(new Error('down')), 'SOURCE_FAILED'],
    ['a thrown text', () => Promise.reject('down'), 'SOURCE_FAILED'],
    ['a thrown nothing', () => Promise.reject(undefined as unknown), 'SOURCE_FAILED'],
    ['a defect of its own', (): unknown => JSON.parse('{'), 'INTERNAL'],
    ['nothing', () => undefined, 'INVALID_DATA'],
    ['a text', () => 'garbage', 'INVALID_DATA'],
    ['filled sources without values', () => ({ ...trafficLoad, values: null }), 'INVALID_DATA'],
    ['NaN', () => ({ ...trafficLoad, values: { ...trafficValues, sessions: Number.NaN } }), 'INVALID_DATA'],
    [
      'a number beyond 2^53',
      () => ({ ...trafficLoad, values: { ...trafficValues, sessions: 2 ** 53 } }),
      'INVALID_DATA',
    ],
    ['a BigInt', () => ({ ...trafficLoad, values: { ...trafficValues, sessions: 1n } }), 'INVALID_DATA'],
    [
      'a Date for a day',
      () => ({
        ...trafficLoad,
        values: { ...trafficValues, series: [{ ...trafficValues.series[0], date: new Date() }] },
      }),
      'INVALID_DATA',
    ],
    [
      'an invalid Date as asOf',
      () => ({ ...trafficLoad, sources: [{ ...ready, asOf: new Date(Number.NaN) }] }),
      'INVALID_DATA',
    ],
    [
      'a READY source without asOf',
      () => ({ ...trafficLoad, sources: [{ ...ready, asOf: null }] }),
      'INVALID_DATA',
    ],
  ])('when it gives %s', async (_what, step, code) => {
    expect(await scripted([step]).read()).toMatchObject({ ...failed, failure: { code } });
  });

  test('TIMEOUT at the deadline when it hangs, although it ignores its signal', async () => {
    const reading = await scripted([never], { deadlineMs: 30 }).read();
    expect(reading).toMatchObject({
      ...failed,
      failure: { code: 'TIMEOUT', message: 'Loading took longer than 0.03 s.' },
    });
  });

  test("in the loader's own words when it throws a PanelError", async () => {
    const retryAt = new Date('2026-06-15T13:00:00Z');
    const expired = new PanelError('SOURCE_AUTH', 'Sign in to Shop analytics again.', { retryAt });
    const reading = await scripted([() => Promise.reject(expired)]).read();
    expect(reading.failure).toEqual({
      code: 'SOURCE_AUTH',
      message: 'Sign in to Shop analytics again.',
      retryAt,
    });
  });
});

test('a loader that hangs is told to stop: its signal fires at the deadline', async () => {
  const stopped = withResolvers();
  const panels = panelsWith({
    panels: {
      traffic: trafficPanel((_ctx, _period, signal) => {
        signal.addEventListener('abort', () => stopped.resolve(signal.reason));
        return never();
      }, 30),
    },
  });
  await panels.read('traffic', organization, period);
  expect(await stopped.promise).toMatchObject({ name: 'TimeoutError' });
});

describe('a loader that fails after it worked gives STALE', () => {
  test.each([
    ['throws', boom, 'SOURCE_FAILED'],
    ['hangs', never, 'TIMEOUT'],
    ['returns garbage', () => ({ sources: 'many' }), 'INVALID_DATA'],
  ])('with the last good values and their asOf when it %s', async (_what, step, code) => {
    const { read } = scripted([good, step], { deadlineMs: 30 });
    await read();
    expect(await read()).toMatchObject({
      state: 'STALE',
      values: trafficValues,
      asOf: ready.state === 'READY' ? ready.asOf : null,
      failure: { code },
      sources: [{ label: 'Shop analytics', included: true }],
    });
  });

  test('but never with the values of another period or organization', async () => {
    const { read, panels } = scripted([good, boom]);
    await read();
    const otherPeriod = { from: '2026-06-01', to: '2026-06-03' };
    expect((await panels.read('traffic', organization, otherPeriod)).state).toBe('FAILED');
    expect((await panels.read('traffic', otherOrganization, period)).state).toBe('FAILED');
  });

  test('but not with values of sources that were disconnected meanwhile', async () => {
    const nothing = () => ({ sources: [], refreshJobId: null, values: null });
    const { read } = scripted([good, nothing, boom]);
    expect([(await read()).state, (await read()).state, (await read()).state]).toEqual([
      'READY',
      'NOT_CONNECTED',
      'FAILED',
    ]);
  });
});

describe('a loader that fails again and again', () => {
  test('is left alone for 15 s, and retryAt says so', async () => {
    const clock = fakeClock();
    const { read, loads } = scripted([boom], { clock });
    for (let i = 0; i < 5; i += 1) await read();
    expect(loads()).toBe(3);
    expect((await read()).failure).toMatchObject({
      code: 'SOURCE_FAILED',
      retryAt: new Date('2026-06-15T12:00:15Z'),
    });
  });

  test('gets one trial at a time afterwards, and all reads again once that worked', async () => {
    const clock = fakeClock();
    const trial = withResolvers();
    const { read, loads } = scripted([boom, boom, boom, () => trial.promise, good], { clock });
    for (let i = 0; i < 3; i += 1) await read();
    clock.forward(15_000);
    const tried = read();
    expect((await read()).state).toBe('FAILED');
    expect(loads()).toBe(4);
    trial.resolve(trafficLoad);
    expect((await tried).state).toBe('READY');
    expect((await read()).state).toBe('READY');
    expect(loads()).toBe(5);
  });

  test('is left alone again when the trial fails', async () => {
    const clock = fakeClock();
    const { read, loads } = scripted([boom], { clock });
    for (let i = 0; i < 3; i += 1) await read();
    clock.forward(15_000);
    expect((await read()).failure?.retryAt).toEqual(new Date('2026-06-15T12:00:30Z'));
    await read();
    expect(loads()).toBe(4);
  });

  test('costs no other organization anything', async () => {
    const panels = panelsWith({
      panels: {
        traffic: trafficPanel((ctx) => (ctx.organization.id === organization.id ? boom() : trafficLoad)),
      },
    });
    for (let i = 0; i < 4; i += 1) await panels.read('traffic', organization, period);
    expect((await panels.read('traffic', otherOrganization, period)).state).toBe('READY');
  });
});

test('a reader who left ends the read, and that is no failure of the source', async () => {
  let loads = 0;
  const load = () => {
    loads += 1;
    return never();
  };
  const panels = panelsWith({ panels: { traffic: trafficPanel(load) } });
  for (let i = 0; i < 5; i += 1) {
    const reader = new AbortController();
    const read = panels.read('traffic', organization, period, reader.signal);
    reader.abort(new Error('the client went away'));
    await expect(read).rejects.toThrow('the client went away');
  }
  expect(loads).toBe(5);
});

test.each(PANEL_KEYS)('%s FAILS as data when the database does not answer', async (key) => {
  const reading = await panelsWith({}).read(key, organization, period);
  expect(reading).toMatchObject({ key, state: 'FAILED', failure: { code: 'SOURCE_FAILED' }, values: null });
});

test('every panel has 2 s', () => {
  expect(new Set(Object.values(panelRegistry).map((panel) => panel.deadlineMs))).toEqual(new Set([2_000]));
});

function withResolvers() {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise<unknown>((onResolve) => {
    resolve = onResolve;
  });
  return { promise, resolve };
}

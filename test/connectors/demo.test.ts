import { describe, expect, it } from 'vitest';
import type { Connector, PulledPage } from '../../src/connectors/connector.ts';
import { demoConnectors, demoProviders } from '../../src/connectors/demo.ts';
import { connectors, connectorsFor } from '../../src/connectors/index.ts';
import { ProviderError } from '../../src/connectors/provider-error.ts';
import { readConfig } from '../../src/config.ts';
import type { Fact } from '../../src/domain/facts.ts';
import { PANEL_KEYS } from '../../src/domain/panel.ts';
import { addDays } from '../../src/domain/period.ts';

const NOW = '2026-11-27T13:20:00Z';
const YEAR_AGO = '2025-10-27';
const MONTH_AGO = '2026-10-27';

interface Run {
  readonly now?: string;
  readonly from?: string;
  readonly after?: unknown;
  readonly signal?: AbortSignal;
}

async function* pages(connector: Connector, { now = NOW, from = MONTH_AGO, after = null, signal }: Run = {}) {
  const open = connector.open({
    config: {},
    credentials: {
      read: () => Promise.resolve({}),
      replace: () => Promise.reject(new Error('none to keep')),
    },
    clock: { now: () => new Date(now) },
  });
  const given = signal ?? new AbortController().signal;
  const account = await open.check(given);
  const [entity = ''] = open.entities;
  const run = { account, from: new Date(`${from}T00:00:00Z`), after, signal: given };
  yield* open.pull(entity, run);
}

interface Reading {
  /** The record of each id as it came last, and its facts */
  readonly records: Map<string, unknown>;
  readonly facts: Map<string, Fact>;
  readonly pages: PulledPage[];
  readonly errors: ProviderError[];
}

const reading = (): Reading => ({ records: new Map(), facts: new Map(), pages: [], errors: [] });

function add(into: Reading, page: PulledPage): void {
  into.pages.push(page);
  for (const { id, data, facts } of page.records) {
    into.records.set(id, data);
    facts.forEach((fact) => into.facts.set(`${fact.type} ${fact.key}`, fact));
  }
}

/** A sync to its end: what fails is tried again, from the cursor of the last page that came. */
async function readAll(connector: Connector, run: Run = {}, into = reading()): Promise<Reading> {
  let { after = null } = run;
  for (;;) {
    try {
      for await (const page of pages(connector, { ...run, after })) {
        add(into, page);
        after = page.cursor;
      }
      return into;
    } catch (error) {
      if (!(error instanceof ProviderError) || into.errors.length > 3) throw error;
      into.errors.push(error);
    }
  }
}

const cursorOf = ({ pages: all }: Reading): unknown => all.at(-1)?.cursor;

/** The days that a fact counts on, in UTC. */
function daysOf(fact: Fact): string[] {
  if ('day' in fact) return [fact.day];
  const moments = 'openedAt' in fact ? [fact.openedAt, fact.solvedAt] : [fact.at];
  return moments.flatMap((moment) => (moment ? [moment.toISOString().slice(0, 10)] : []));
}

const named = demoConnectors.map((connector) => [connector.provider, connector] as const);
const connectorOf = (provider: string): Connector => {
  const found = demoConnectors.find((connector) => connector.provider === provider);
  if (!found) throw new Error(`there is no ${provider}`);
  return found;
};

describe('the demo providers', () => {
  it('feed each panel, and say that they are made up', () => {
    const feeds = demoConnectors.flatMap(({ entities }) => Object.values(entities).map((each) => each.feeds));
    expect(feeds).toEqual(PANEL_KEYS);
    for (const { connector, account } of demoProviders) {
      expect(connector.title).toMatch(/^Demo /);
      expect(account.label).toMatch(/^Demo .*\(made-up figures\)$/);
    }
  });

  it('are no providers in production, nor in tests, unless somebody wants them there', () => {
    const known = (environment: Record<string, string>) =>
      Object.keys(connectorsFor(readConfig(environment))).filter((name) => name.startsWith('demo_'));
    expect(known({})).toHaveLength(6);
    expect(known({ DEMO_PROVIDERS: 'false' })).toEqual([]);
    expect(known({ NODE_ENV: 'test' })).toEqual([]);
    expect(known({ NODE_ENV: 'test', DEMO_PROVIDERS: 'true' })).toHaveLength(6);
    expect(connectorsFor(readConfig({ NODE_ENV: 'production' }))).toBe(connectors);
    expect(Object.keys(connectors).filter((name) => name.startsWith('demo_'))).toEqual([]);
  });

  it('have thirteen months of some 23,000 records, in pages with a total, all of which make sense', async () => {
    let records = 0;
    for (const connector of demoConnectors) {
      const { pages: all, records: own, facts } = await readAll(connector, { from: YEAR_AGO });
      records += own.size;
      expect(all.flatMap(({ rejected }) => rejected)).toEqual([]);
      expect(all.reduce((sum, page) => sum + page.records.length, 0)).toBe(own.size);
      expect(all[0]?.total).toBe(own.size);
      expect(all.length).toBeGreaterThan(1);
      expect(all.filter(({ isLast }) => isLast)).toHaveLength(1);
      const days = [...facts.values()].flatMap(daysOf).toSorted();
      expect(days[0]).toMatch(/^2025-(10-2[789]|10-3\d)/);
      expect(days.at(-1)).toBe('2026-11-27');
      for (const page of all) expect(page.records.length).toBeLessThanOrEqual(500);
    }
    expect(records).toBeGreaterThan(20_000);
    expect(records).toBeLessThan(30_000);
  });

  it('say what does not depend on chance: refunds within their orders, tickets that are solved after a reply', async () => {
    const { facts: sold } = await readAll(connectorOf('demo_shop'));
    for (const fact of sold.values()) {
      if (fact.type !== 'refund') continue;
      const order = sold.get(`order ${String(fact.orderKey)}`);
      if (order?.type !== 'order') throw new Error(`a refund of no order: ${fact.key}`);
      expect(Number(fact.amount)).toBeLessThanOrEqual(Number(order.gross));
      expect(fact.at.getTime()).toBeGreaterThan(order.at.getTime());
    }
    const { facts: helped } = await readAll(connectorOf('demo_support'));
    for (const fact of helped.values()) {
      if (fact.type !== 'ticket' || !fact.solvedAt) continue;
      const repliedMs = fact.openedAt.getTime() + (fact.firstReplyMinutes ?? Infinity) * 60_000;
      expect(fact.solvedAt.getTime()).toBeGreaterThanOrEqual(repliedMs);
    }
    const { facts: spent } = await readAll(connectorOf('demo_ads'));
    const currencies = [...spent.values()].flatMap((fact) => ('currency' in fact ? [fact.currency] : []));
    expect(new Set(currencies)).toEqual(new Set(['EUR', 'USD']));
  });
});

describe.each(named)('%s', (_, connector) => {
  it('gives the same for the same moment, whoever reads it and however often', async () => {
    const first = await readAll(connector, { from: YEAR_AGO });
    expect(await readAll(connector, { from: YEAR_AGO })).toEqual({ ...first, errors: expect.anything() });
    const shorter = await readAll(connector);
    for (const [id, record] of shorter.records) expect(first.records.get(id)).toEqual(record);
  });

  it('loses nothing, wherever a run is cut off', async () => {
    const from = '2026-06-01';
    const whole = await readAll(connector, { from });
    for (let cut = 1; cut <= whole.pages.length; cut += 1) {
      const cutOff = reading();
      whole.pages.slice(0, cut).forEach((page) => add(cutOff, page));
      const all = await readAll(connector, { from, after: cursorOf(cutOff) }, cutOff);
      expect(all.records).toEqual(whole.records);
    }
  });

  it('comes to the same in many runs as in one', async () => {
    const moments = [
      '2026-11-12T08:00:00Z',
      '2026-11-12T08:01:00Z',
      '2026-11-13T00:30:00Z',
      '2026-11-18T23:59:00Z',
    ];
    const several = reading();
    for (const now of [...moments, NOW])
      await readAll(connector, { now, after: cursorOf(several) ?? null }, several);
    const { records } = await readAll(connector);
    expect(several.records).toEqual(records);
  });

  it('has nothing of the future, and more of a day as it goes on', async () => {
    const counts: number[] = [];
    for (const hour of ['00', '06', '12', '18', '23']) {
      const now = `2026-11-24T${hour}:30:00Z`;
      const { facts } = await readAll(connector, { now });
      for (const fact of facts.values())
        for (const day of daysOf(fact)) expect(day <= '2026-11-24' || 'day' in fact).toBe(true);
      counts.push(sizeOf([...facts.values()]));
    }
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size).toBeGreaterThan(1);
  });

  it('says the same of a day that is over, whenever it is read', async () => {
    const day = '2026-11-10';
    const onDay = async (now: string) => {
      const { facts } = await readAll(connector, { now });
      return [...facts.values()].filter((fact) => daysOf(fact).includes(day));
    };
    const later = await onDay('2026-11-17T00:00:00Z');
    expect(await onDay('2027-02-01T12:00:00Z')).toEqual(later);
    expect(later.length > 0 || connector.provider === 'demo_email').toBe(true);
  });

  it('reads again only the days that may have changed', async () => {
    const first = await readAll(connector, { from: YEAR_AGO });
    const { records, pages: all } = await readAll(connector, { after: cursorOf(first) });
    expect(records.size).toBeLessThan(first.records.size / 20);
    expect(all.at(-1)?.cursor).toEqual(cursorOf(first));
  });

  it('begins anew at a cursor that it does not read, and ends at one of the future', async () => {
    const { records } = await readAll(connector);
    expect((await readAll(connector, { after: { page: 7 } })).records).toEqual(records);
    const ahead = { day: addDays('2026-11-27', 300) };
    const { pages: all } = await readAll(connector, { after: ahead });
    expect(all.map(({ isLast, cursor }) => ({ isLast, cursor }))).toEqual([{ isLast: true, cursor: ahead }]);
  });

  it('ends when it is told to', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(readAll(connector, { signal: aborted })).rejects.toThrow('enough');
  });
});

describe('the first run', () => {
  it('of demo_ads is asked for a pause of seconds, once, and goes on after it', async () => {
    const { errors, pages: all } = await readAll(connectorOf('demo_ads'), { from: YEAR_AGO });
    expect(errors).toMatchObject([{ kind: 'rate_limited', resumeAt: new Date('2026-11-27T13:20:03Z') }]);
    const again = await readAll(connectorOf('demo_ads'), { after: all.at(-1)?.cursor });
    expect(again.errors).toEqual([]);
  });

  it('of demo_email fails once, and goes on at the next attempt', async () => {
    const { errors, pages: all } = await readAll(connectorOf('demo_email'), { from: YEAR_AGO });
    expect(errors).toMatchObject([{ kind: 'transient', message: expect.stringContaining('Demo email') }]);
    const again = await readAll(connectorOf('demo_email'), { after: all.at(-1)?.cursor });
    expect(again.errors).toEqual([]);
  });

  it('of the others goes through', async () => {
    for (const provider of ['demo_shop', 'demo_analytics', 'demo_social', 'demo_support'])
      expect((await readAll(connectorOf(provider), { from: YEAR_AGO })).errors).toEqual([]);
  });
});

/** Something that only grows while a day goes on. */
function sizeOf(facts: readonly Fact[]): number {
  return facts.reduce((sum, fact) => {
    switch (fact.type) {
      case 'traffic_day':
        return sum + fact.sessions;
      case 'ad_day':
        return sum + fact.impressions;
      case 'social_day':
        return sum + fact.impressions;
      case 'email_day':
        return sum + fact.opens;
      default:
        return sum + 1;
    }
  }, 0);
}

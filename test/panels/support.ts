import { pino } from 'pino';
import { z } from 'zod';
import type { Period } from '../../src/domain/period.ts';
import type { PanelLoad, PanelOrganization } from '../../src/panels/panel.ts';
import { createPanels, panelRegistry } from '../../src/panels/index.ts';
import type { PanelRegistry, Panels } from '../../src/panels/index.ts';
import type { SourceReport } from '../../src/panels/reading.ts';
import type { TrafficValues } from '../../src/panels/traffic.ts';
import type { Database } from '../../src/repositories/db.ts';
import { openDatabase } from '../../src/repositories/db.ts';

export const organization: PanelOrganization = {
  id: '01930000-0000-7000-8000-000000000001',
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
};

export const otherOrganization: PanelOrganization = {
  ...organization,
  id: '01930000-0000-7000-8000-000000000002',
};

export const period: Period = { from: '2026-06-01', to: '2026-06-02' };

/** Time that only moves when a test says so. */
export function fakeClock(start = '2026-06-15T12:00:00Z') {
  let now = new Date(start);
  return {
    now: () => now,
    forward(ms: number) {
      now = new Date(now.getTime() + ms);
    },
  };
}

/** A database that nothing answers for: loaders of our own do not use it, and the real ones must survive it. */
export function unreachableDatabase(): Database {
  return openDatabase({
    url: 'postgres://nobody@127.0.0.1:1/none',
    applicationName: 'millrace-test',
    connectionsMax: 1,
    statementTimeoutMs: 1_000,
    log: pino({ level: 'silent' }),
  });
}

export const ready: SourceReport = {
  state: 'READY',
  label: 'Shop analytics',
  asOf: new Date('2026-06-15T11:00:00Z'),
  counted: true,
};

export const trafficValues: TrafficValues = {
  sessions: 12,
  pageviews: 40,
  users: null,
  series: [
    { date: '2026-06-01', sessions: 5, users: 4, pageviews: 18 },
    { date: '2026-06-02', sessions: 7, users: 6, pageviews: 22 },
  ],
};

export const trafficLoad: PanelLoad<TrafficValues> = {
  sources: [ready],
  refreshJobId: null,
  values: trafficValues,
};

type TrafficLoader = PanelRegistry['traffic']['load'];

/** The traffic panel with a loader of the test's own, which may return anything at all. */
export function trafficPanel(load: (...args: Parameters<TrafficLoader>) => unknown, deadlineMs = 2_000) {
  const unchecked = z.custom<PanelLoad<TrafficValues>>();
  return {
    ...panelRegistry.traffic,
    deadlineMs,
    load: async (...args: Parameters<TrafficLoader>) => unchecked.parse(await load(...args)),
  };
}

export interface PanelsOptions {
  readonly panels?: Partial<PanelRegistry>;
  readonly clock?: { now(): Date };
  /** Takes the log's lines */
  readonly lines?: string[];
}

/** Panels on a database that does not answer. */
export function panelsWith({ panels = {}, clock = fakeClock(), lines = [] }: PanelsOptions): Panels {
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  return createPanels({ db: unreachableDatabase(), clock, log, panels });
}

/** What a loader that hangs does, whatever its signal says. */
export const never = () => new Promise<never>(() => {});

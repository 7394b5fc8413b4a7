import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { LruMap } from '../lib/lru-map.ts';
import type { PanelKey } from '../domain/panel.ts';
import type { Period } from '../domain/period.ts';
import type { Database } from '../repositories/db.ts';
import { ads } from './ads.ts';
import { createBreaker } from './breaker.ts';
import { email } from './email.ts';
import { readPanel } from './panel.ts';
import type { Panel, PanelMemory, PanelOrganization, PanelRequest, SeriesValues } from './panel.ts';
import type { PanelReading } from './reading.ts';
import { revenue } from './revenue.ts';
import { social } from './social.ts';
import { SourceReader } from './source-reader.ts';
import { support } from './support.ts';
import { traffic } from './traffic.ts';

/** The dashboard's panels, one line each. */
export const panelRegistry = { revenue, traffic, ads, social, email, support };

export type PanelValues = {
  readonly [K in PanelKey]: (typeof panelRegistry)[K] extends Panel<infer Values> ? Values : never;
};
export type PanelRegistry = { readonly [K in PanelKey]: Panel<PanelValues[K]> };

/** Reads any panel; every failure is in the reading, see `readPanel`. */
export interface Panels {
  read<K extends PanelKey>(
    key: K,
    organization: PanelOrganization,
    period: Period,
    signal?: AbortSignal,
  ): Promise<PanelReading<PanelValues[K]>>;
}

export interface PanelsOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Take the place of the panels of the same name */
  readonly panels?: Partial<PanelRegistry>;
}

const FAILURES_MAX = 3;
const OPEN_MS = 15_000;
/** Days of figures kept per panel; one is a few hundred bytes. */
const POINTS_MAX = 20_000;

type PanelReader<Values> = (
  organization: PanelOrganization,
  period: Period,
  signal?: AbortSignal,
) => Promise<PanelReading<Values>>;
type PanelReaders = { readonly [K in PanelKey]: PanelReader<PanelValues[K]> };

export function createPanels({ panels, ...options }: PanelsOptions): Panels {
  const deps = { ...options, sources: new SourceReader(options.db) };
  const chosen: PanelRegistry = { ...panelRegistry, ...panels };
  const readers: PanelReaders = {
    revenue: openPanel(chosen.revenue, deps),
    traffic: openPanel(chosen.traffic, deps),
    ads: openPanel(chosen.ads, deps),
    social: openPanel(chosen.social, deps),
    email: openPanel(chosen.email, deps),
    support: openPanel(chosen.support, deps),
  };
  return { read: (key, organization, period, signal) => readers[key](organization, period, signal) };
}

/** A panel with its own breaker and last good readings, so that no panel crowds out another. */
function openPanel<Values extends SeriesValues>(
  panel: Panel<Values>,
  deps: Omit<PanelRequest, 'organization' | 'period' | 'signal'>,
): PanelReader<Values> {
  const policy = { failuresMax: FAILURES_MAX, openMs: OPEN_MS, trialMs: panel.deadlineMs };
  const memory: PanelMemory<Values> = {
    breaker: createBreaker(policy, deps.clock),
    lastGood: new LruMap({
      weightMax: POINTS_MAX,
      weigh: (reading) => 1 + (reading.values?.series.length ?? 0),
    }),
  };
  return (organization, period, signal) =>
    readPanel(panel, memory, { ...deps, organization, period, signal });
}

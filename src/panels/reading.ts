import { z } from 'zod';
import type { PanelKey } from '../domain/panel.ts';
import type { Period } from '../domain/period.ts';

/**
 * READY: filled and fresh. STALE: the last good values, because they are older, a source fails or loading failed.
 * LOADING: connected, never filled yet. FAILED: no good values to show. NOT_CONNECTED: no source.
 */
export const PANEL_STATES = ['READY', 'STALE', 'LOADING', 'FAILED', 'NOT_CONNECTED'] as const;
export type PanelState = (typeof PANEL_STATES)[number];

export const PANEL_FAILURE_CODES = [
  'TIMEOUT',
  'SOURCE_FAILED',
  'SOURCE_AUTH',
  'INVALID_DATA',
  'INTERNAL',
] as const;
export type PanelFailureCode = (typeof PANEL_FAILURE_CODES)[number];

const panelFailure = z.object({
  code: z.enum(PANEL_FAILURE_CODES),
  /** For people; the cause is in the log */
  message: z.string().min(1),
  /** Reading again earlier than this gives the same; null: nothing is known against trying at once */
  retryAt: z.date().nullable(),
});
export type PanelFailure = Readonly<z.infer<typeof panelFailure>>;

const named = {
  /** The account, for people */
  label: z.string().min(1),
  /** False where its figures are left out by choice, so that nothing counts twice */
  counted: z.boolean(),
};

/** What a panel's loader says about one source: `asOf` is when its figures were true. */
export const sourceReport = z.discriminatedUnion('state', [
  z.object({ ...named, state: z.literal('READY'), asOf: z.date() }),
  z.object({ ...named, state: z.literal('STALE'), asOf: z.date(), failure: panelFailure.nullable() }),
  z.object({ ...named, state: z.literal('LOADING') }),
  z.object({ ...named, state: z.literal('FAILED'), failure: panelFailure }),
  z.object({ ...named, state: z.literal('NOT_CONNECTED') }),
]);
export type SourceReport = Readonly<z.infer<typeof sourceReport>>;

/** One connected account behind a panel, as readers see it. */
export interface PanelSource {
  readonly label: string;
  readonly state: PanelState;
  readonly asOf: Date | null;
  readonly failure: PanelFailure | null;
  /** Whether its figures are in the panel's values */
  readonly included: boolean;
}

/** A panel at one moment; `values` is null unless it is READY or STALE. */
export interface PanelReading<Values> {
  readonly key: PanelKey;
  readonly period: Period;
  readonly state: PanelState;
  readonly asOf: Date | null;
  readonly failure: PanelFailure | null;
  /** Uuid of the job that is filling this panel now */
  readonly refreshJobId: string | null;
  readonly sources: readonly PanelSource[];
  readonly values: Values | null;
}

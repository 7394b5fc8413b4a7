import { z } from 'zod';
import { raceAbort, toError, withTimeout } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { LruMap } from '../lib/lru-map.ts';
import type { PanelKey } from '../domain/panel.ts';
import type { Period } from '../domain/period.ts';
import type { Database } from '../repositories/db.ts';
import type { Breaker } from './breaker.ts';
import { sourceReport } from './reading.ts';
import type { PanelFailure, PanelFailureCode, PanelReading, SourceReport } from './reading.ts';
import type { SourceReader } from './source-reader.ts';
import { standingOf, toSource } from './state.ts';

/** The tenant whose figures are read. */
export interface PanelOrganization {
  readonly id: string;
  /** IANA name; days are this zone's */
  readonly timeZone: string;
  /** ISO 4217; what nothing sold is counted in */
  readonly currency: string;
}

export interface PanelContext {
  readonly db: Database;
  readonly sources: SourceReader;
  readonly organization: PanelOrganization;
  now(): Date;
}

/** Every panel has a series: one point per day of the period. */
export interface SeriesValues {
  readonly series: readonly unknown[];
}

/** What a loader found. The panel's state follows from the sources; `values` are needed once one of them is filled. */
export interface PanelLoad<Values> {
  readonly sources: readonly SourceReport[];
  /** Uuid of the job that is filling this panel now */
  readonly refreshJobId: string | null;
  readonly values: Values | null;
}

/** No source of the panel's kind is connected. */
export const NOT_CONNECTED: PanelLoad<never> = { sources: [], refreshJobId: null, values: null };

/** One panel of the dashboard. */
export interface Panel<Values extends SeriesValues> {
  readonly key: PanelKey;
  /** When the answer is due, in ms: a read takes `ANSWER_MS` less at most */
  readonly deadlineMs: number;
  /** What goes out fits it: whatever a loader returns is parsed */
  readonly schema: z.ZodType<Values>;
  /** May throw, hang or return anything; a PanelError says in words for people what is wrong with a source. */
  readonly load: (ctx: PanelContext, period: Period, signal: AbortSignal) => Promise<PanelLoad<Values>>;
}

/** How a loader says why there are no figures: `message` is for people, `cause` goes to the log. */
export class PanelError extends Error {
  override readonly name = 'PanelError';
  readonly code: PanelFailureCode;
  readonly retryAt: Date | null;
  constructor(code: PanelFailureCode, message: string, options: { cause?: unknown; retryAt?: Date } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAt = options.retryAt ?? null;
  }
}

/** What is left of a deadline to put the answer together, a year's series of five other panels among it. */
const ANSWER_MS = 15;

/** What is remembered between the reads of one panel. */
export interface PanelMemory<Values> {
  readonly breaker: Breaker;
  /**
   * Last good readings by organization and period. In this process only: after a restart, on another API node and for
   * a period that nobody asked for here, a failing source shows FAILED instead of STALE.
   */
  readonly lastGood: LruMap<string, PanelReading<Values>>;
}

export interface PanelRequest {
  readonly db: Database;
  readonly sources: SourceReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly organization: PanelOrganization;
  readonly period: Period;
  /** Fires when nobody waits for the answer any more */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads one panel and turns every failure into data: a loader that throws, hangs (even one that ignores its signal) or
 * returns what its schema does not know gives STALE with the last good values, else FAILED. A source that fails again
 * and again is left alone for a while.
 * @throws the reason of `request.signal`, and nothing else
 */
export async function readPanel<Values extends SeriesValues>(
  panel: Panel<Values>,
  memory: PanelMemory<Values>,
  request: PanelRequest,
): Promise<PanelReading<Values>> {
  const { organization, period, signal } = request;
  const slot = `${organization.id} ${period.from} ${period.to}`;
  const refusal = memory.breaker.refuses(organization.id);
  if (refusal) return withoutLoad(panel.key, period, refusal, memory.lastGood.get(slot));
  try {
    const reading = toReading(panel.key, period, await loadInTime(panel, request));
    memory.breaker.succeeded(organization.id);
    if (reading.values) memory.lastGood.set(slot, reading);
    else memory.lastGood.delete(slot);
    return reading;
  } catch (error) {
    signal?.throwIfAborted();
    const failure = memory.breaker.failed(organization.id, toFailure(error, panel.deadlineMs));
    request.log.warn(
      { err: toError(error), panel: panel.key, organizationId: organization.id, code: failure.code },
      'a panel could not be loaded',
    );
    return withoutLoad(panel.key, period, failure, memory.lastGood.get(slot));
  }
}

async function loadInTime<Values extends SeriesValues>(
  panel: Panel<Values>,
  { db, sources, clock, organization, period, signal }: PanelRequest,
): Promise<PanelLoad<Values>> {
  const deadline = withTimeout(panel.deadlineMs - ANSWER_MS, signal);
  const ctx: PanelContext = { db, sources, organization, now: () => clock.now() };
  const load = async (): Promise<unknown> => panel.load(ctx, period, deadline);
  const { values, ...rest } = panelLoad.parse(await raceAbort(load(), deadline));
  return { ...rest, values: values === null ? null : panel.schema.parse(values) };
}

/** Made once, as a schema's making costs more than its use. */
const panelLoad = z.object({
  sources: z.array(sourceReport),
  refreshJobId: z.uuid().nullable(),
  values: z.unknown(),
});

function toReading<Values>(key: PanelKey, period: Period, load: PanelLoad<Values>): PanelReading<Values> {
  const { state, asOf, failure } = standingOf(load.sources);
  if (asOf && !load.values) throw new PanelError('INVALID_DATA', MESSAGES.INVALID_DATA);
  const values = asOf ? load.values : null;
  return {
    key,
    period,
    state,
    asOf,
    failure,
    refreshJobId: load.refreshJobId,
    sources: load.sources.map(toSource),
    values,
  };
}

function withoutLoad<Values>(
  key: PanelKey,
  period: Period,
  failure: PanelFailure,
  lastGood: PanelReading<Values> | undefined,
): PanelReading<Values> {
  if (lastGood) return { ...lastGood, state: 'STALE', failure, refreshJobId: null };
  return { key, period, state: 'FAILED', asOf: null, failure, refreshJobId: null, sources: [], values: null };
}

const MESSAGES = {
  SOURCE_FAILED: 'The source of these figures could not be read.',
  INVALID_DATA: 'What the source returned makes no sense, so it is not shown.',
  INTERNAL: 'Something went wrong on our side; the server log says what.',
} as const;

/** Errors that JavaScript itself throws are a defect in the loader, no trouble of its source. */
const DEFECTS = [TypeError, RangeError, ReferenceError, SyntaxError];

function toFailure(error: unknown, deadlineMs: number): PanelFailure {
  if (error instanceof PanelError)
    return { code: error.code, message: error.message, retryAt: error.retryAt };
  if (error instanceof z.ZodError)
    return { code: 'INVALID_DATA', message: MESSAGES.INVALID_DATA, retryAt: null };
  if (error instanceof Error && error.name === 'TimeoutError') {
    return { code: 'TIMEOUT', message: `Loading took longer than ${deadlineMs / 1000} s.`, retryAt: null };
  }
  const code = DEFECTS.some((type) => error instanceof type) ? 'INTERNAL' : 'SOURCE_FAILED';
  return { code, message: MESSAGES[code], retryAt: null };
}

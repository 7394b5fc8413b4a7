import { GROWTH_METRICS, type GrowthMetric } from '../../domain/growth.ts';
import { canonicalAmount } from '../../domain/money.ts';
import { addDays } from '../../domain/period.ts';
import { changePercent } from '../../domain/run-outcomes.ts';

/** A figure week by week, exact decimals all through. */
export interface WeeklyFigure {
  readonly metric: GrowthMetric;
  /** Empty: a count */
  readonly currency: string;
  /** Oldest first; null: unknown. The last week is going on */
  readonly values: readonly (string | null)[];
  readonly soFar: string | null;
  readonly sameDays: string | null;
  readonly slope: string | null;
}

/** The weeks that are compared; `from` is a Monday. */
export interface Weeks {
  readonly from: string;
  readonly today: string;
  readonly weeks: number;
  /** Days of the last week that are over, 0 to 6: today is not */
  readonly daysOver: number;
}

const WEEK_DAYS = 7;

/** So many weeks from Monday to Sunday, the last of them the one that holds `today`. */
export function weeksUntil(today: string, weeks: number): Weeks {
  const daysOver = (new Date(`${today}T00:00:00Z`).getUTCDay() + WEEK_DAYS - 1) % WEEK_DAYS;
  return { from: addDays(today, -daysOver - WEEK_DAYS * (weeks - 1)), today, weeks, daysOver };
}

/**
 * What there is to say about each figure, in the order of GROWTH_METRICS. A week that is going on is never held against a
 * whole one: its days that are over are, against the same days of the last one.
 */
export function compareWeeks({ from, daysOver }: Weeks, figures: readonly WeeklyFigure[]) {
  const order = (figure: WeeklyFigure): number => GROWTH_METRICS.indexOf(figure.metric);
  return figures.toSorted((a, b) => order(a) - order(b)).map((figure) => compare(from, daysOver, figure));
}

function compare(from: string, daysOver: number, figure: WeeklyFigure) {
  const { metric, currency, slope } = figure;
  const exact = (value: string | null | undefined): string | null =>
    value == null || currency === '' ? (value ?? null) : canonicalAmount(value, currency);
  const values = figure.values.map(exact);
  const last = values.length - 1;
  const [soFar, sameDays] = daysOver === 0 ? [null, null] : [exact(figure.soFar), exact(figure.sameDays)];
  return {
    name: metric,
    currency: currency === '' ? null : currency,
    thisWeek: values[last] ?? null,
    lastWeek: values[last - 1] ?? null,
    soFar,
    sameDaysLastWeek: sameDays,
    changePercent: change(soFar, sameDays),
    lastWeekChangePercent: change(values[last - 1], values[last - 2]),
    slopePerWeek: exact(slope),
    weeks: values.map((value, index) => ({
      from: addDays(from, WEEK_DAYS * index),
      value,
      isWhole: index < last,
    })),
  };
}

function change(now: string | null | undefined, before: string | null | undefined): number | null {
  return now == null || before == null ? null : changePercent(Number(now), Number(before));
}

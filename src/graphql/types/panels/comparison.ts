import type { PanelKey } from '../../../domain/panel.ts';
import type { Period } from '../../../domain/period.ts';
import { periodBefore, type CurrencyChange as CurrencyChangeShape } from '../../../panels/comparison.ts';
import type { PanelValues } from '../../../panels/index.ts';
import type { PanelReading } from '../../../panels/reading.ts';
import { builder } from '../../builder.ts';
import type { GraphQLContext } from '../../context.ts';

/** A panel's figures, and those of the period before. */
export interface Comparison<Values> {
  readonly period: Period;
  readonly now: Values;
  readonly before: Values;
}

export const COMPARISON = 'The period right before, of the same length, and what changed since.';
export const BEFORE =
  'What changed since the period before, of the same length; null where that is not known';
export const CHANGE = 'Growth in percent of what it was; null where that was 0 or is not known';
export const MONEY_CHANGE = 'Growth in percent of what it was, by currency';

/**
 * Read like a panel of its own, and only when a query asks for it.
 * @returns null where the panel or the period before has no values
 */
export async function comparisonOf<K extends PanelKey>(
  key: K,
  { values, period }: PanelReading<PanelValues[K]>,
  { panels, principal }: GraphQLContext,
): Promise<Comparison<PanelValues[K]> | null> {
  const earlier = periodBefore(period);
  if (!values || !earlier) return null;
  const reading = await panels.read(key, principal.organization, earlier);
  return reading.values && { period: earlier, now: values, before: reading.values };
}

/** What every panel's comparison has. */
export const PanelComparison = builder.interfaceRef<Comparison<unknown>>('PanelComparison').implement({
  description: 'The period before the shown one, of the same length.',
  fields: (t) => ({
    from: t.field({ type: 'Date', description: 'Its first day', resolve: ({ period }) => period.from }),
    to: t.field({ type: 'Date', description: 'Its last day', resolve: ({ period }) => period.to }),
  }),
});

export const CurrencyChange = builder.objectRef<CurrencyChangeShape>('CurrencyChange').implement({
  description: 'How an amount changed in one currency.',
  fields: (t) => ({
    currency: t.exposeString('currency', { description: 'ISO 4217' }),
    percent: t.expose('percent', { type: 'Float', nullable: true, description: CHANGE }),
  }),
});

import { UserFacingError } from '../../domain/errors.ts';
import { PERIOD_PRESETS, periodInput, resolvePeriod } from '../../domain/period.ts';
import type { Period, PeriodContext, PeriodInput as PeriodInputValue } from '../../domain/period.ts';
import { builder } from '../builder.ts';
import { inputProblem } from '../errors.ts';
import { standsFor } from '../zod-input.ts';

const PRESET_DESCRIPTIONS: { readonly [P in (typeof PERIOD_PRESETS)[number]]: string } = {
  TODAY: 'This day, so far',
  YESTERDAY: 'The day before this one',
  LAST_7_DAYS: 'Seven days, the last of them today',
  LAST_30_DAYS: '30 days, the last of them today',
  LAST_90_DAYS: '90 days, the last of them today',
  THIS_MONTH: 'From the first of the month to today',
  LAST_MONTH: 'The whole month before this one',
  THIS_YEAR: 'From the first of January to today',
};

const PeriodPreset = builder.enumType('PeriodPreset', {
  description: "Days of the organization's calendar.",
  values: Object.fromEntries(
    PERIOD_PRESETS.map((preset) => [preset, { value: preset, description: PRESET_DESCRIPTIONS[preset] }]),
  ),
});

const DateRangeInput = builder.inputType('DateRangeInput', {
  description: 'From one day to another, both included.',
  fields: (t) => ({
    from: t.field({ type: 'Date', required: true, description: 'First day' }),
    to: t.field({ type: 'Date', required: true, description: 'Last day, not before the first' }),
  }),
});

export const PeriodInput = builder.inputType('PeriodInput', {
  description: 'Default: 30 days, today included. At most 731 days',
  isOneOf: true,
  fields: (t) => ({
    days: t.int({ description: 'So many days, the last of them today' }),
    range: t.field({ type: DateRangeInput, description: 'From one day to another' }),
    preset: t.field({ type: PeriodPreset, description: 'By name' }),
  }),
});

// Inputs of jobs have the same.
standsFor(periodInput, PeriodInput);

/** @throws BAD_USER_INPUT that names the argument, for a period that is none */
export function readPeriod(input: PeriodInputValue | null | undefined, context: PeriodContext): Period {
  try {
    return resolvePeriod(input, context);
  } catch (error) {
    const [mistake] = error instanceof UserFacingError ? error.errors : [];
    throw mistake ? inputProblem(mistake.field ?? ['period'], mistake.message) : error;
  }
}

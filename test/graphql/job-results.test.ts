import { isEnumType, isInputObjectType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { schema } from '../../src/graphql/schema.ts';
import { unwrap } from '../../src/graphql/zod-node.ts';
import { GROWTH_METRICS } from '../../src/domain/growth.ts';

const typesOf = (name: string): Record<string, string> => {
  const type = schema.getType(name);
  if (!isObjectType(type) && !isInputObjectType(type)) return {};
  const types: Record<string, string> = {};
  for (const [field, { type: itsType }] of Object.entries<{ type: unknown }>(type.getFields()))
    types[field] = String(itsType);
  return types;
};

test('a result holds objects, lists of them, exact decimals, days, enums and large counts as its contract says', () => {
  expect(typesOf('WeeklyGrowthResult')).toEqual({
    from: 'Date!',
    today: 'Date!',
    metrics: '[GrowthMetric!]!',
  });
  expect(typesOf('GrowthMetric')).toMatchObject({
    name: 'GrowthMetricName!',
    currency: 'String',
    thisWeek: 'Decimal',
    changePercent: 'Float',
    weeks: '[GrowthWeek!]!',
  });
  expect(typesOf('GrowthWeek')).toEqual({ from: 'Date!', value: 'Decimal', isWhole: 'Boolean!' });
  expect(typesOf('PerformanceMetricsResult')).toMatchObject({
    allJobs: 'MeasuredRuns!',
    syncJobs: 'MeasuredRuns!',
  });
  expect(typesOf('MeasuredRuns')).toMatchObject({ runs: 'SafeInt!', wait: 'MeasuredPercentiles' });
});

test('an enum of a result has every value of its contract, in upper case', () => {
  const type = schema.getType('GrowthMetricName');
  const names = isEnumType(type) ? type.getValues().map(({ name }) => name) : [];
  expect(names.toSorted()).toEqual(GROWTH_METRICS.map((name) => name.toUpperCase()).toSorted());
});

test("a period in a job's input is the one that queries take", () => {
  expect(typesOf('StartPerformanceMetricsInput')).toEqual({ period: 'PeriodInput' });
  expect(typesOf('PeriodInput')).toEqual({ days: 'Int', range: 'DateRangeInput', preset: 'PeriodPreset' });
});

test('a schema with a description of its own is still the one that bears the name', () => {
  const named = z.object({}).meta({ id: 'Thing', description: 'A thing' });
  const node = unwrap(named.meta({ description: 'The first one' }).nullable());
  expect(node).toMatchObject({ id: 'Thing', description: 'The first one', optional: true });
  expect(node.schema).toBe(named);
  expect(unwrap(z.string().meta({ description: 'A text' })).id).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { totalOf } from '../../../src/connectors/shopify/shop-money.ts';

describe('totals', () => {
  it.each([
    ['EUR', ['0.1', '0.2'], [], '0.30'],
    ['EUR', ['10.0'], ['2.5', '0.005'], '7.495'],
    ['EUR', ['0.05'], ['0.1'], '-0.05'],
    ['EUR', ['-1.50', '1.5'], [], '0.00'],
    ['EUR', ['-0.5', '-0.25'], ['-1'], '0.25'],
    ['EUR', ['9007199254740993.01', '0.01'], [], '9007199254740993.02'],
    ['JPY', ['1000', '20'], ['3'], '1017'],
    ['JPY', ['1000.0'], ['1000'], '0'],
    ['KWD', ['1.234', '1'], [], '2.234'],
    ['EUR', [], [], '0.00'],
  ])('of %s: %j less %j is %s', (currency, added, taken, expected) => {
    expect(totalOf(currency, added, taken)).toBe(expected);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrice } from '../../../../src/services/products/values/price.ts';
import {
  parseAvailability,
  parseBoolean,
  parseQuantity,
  parseStatus,
  parseUrl,
} from '../../../../src/services/products/values/simple.ts';
import { parseWeight } from '../../../../src/services/products/values/weight.ts';

describe('a price', () => {
  const good: [string, string, string | null][] = [
    ['12.5', '12.5000', null],
    ['0', '0.0000', null],
    ['007.10', '7.1000', null],
    ['12,50', '12.5000', null],
    ['0,125', '0.1250', null],
    ['1234,5', '1234.5000', null],
    ['1,234.50', '1234.5000', null],
    ['1.234,50', '1234.5000', null],
    ['1 234,50', '1234.5000', null],
    ["1'234.50", '1234.5000', null],
    ['1,234,567', '1234567.0000', null],
    ['12.50 USD', '12.5000', 'USD'],
    ['usd 12.50', '12.5000', 'USD'],
    ['€12,50', '12.5000', 'EUR'],
    ['12.50 £', '12.5000', 'GBP'],
    ['$12.50', '12.5000', null],
    ['99999999999999.9999', '99999999999999.9999', null],
  ];
  it.each(good)('%s is %s, currency %s', (text, amount, currency) => {
    expect(parsePrice(text)).toEqual({ value: { amount, currency } });
  });

  const bad: [string, string][] = [
    ['1,234', 'AMBIGUOUS_PRICE'],
    ['999,999', 'AMBIGUOUS_PRICE'],
    ['-5.00', 'NEGATIVE_PRICE'],
    ['-5,00 EUR', 'NEGATIVE_PRICE'],
    ['abc', 'INVALID_PRICE'],
    ['12.50.1', 'INVALID_PRICE'],
    ['1e3', 'INVALID_PRICE'],
    ['12.34567', 'INVALID_PRICE'],
    ['999999999999999', 'INVALID_PRICE'],
    ['12,34,56', 'INVALID_PRICE'],
    ['EUR 5 USD', 'INVALID_PRICE'],
    ['12.50 XQZ', 'INVALID_CURRENCY'],
    ['NaN', 'INVALID_PRICE'],
    ['.5', 'INVALID_PRICE'],
    ['٣', 'INVALID_PRICE'],
  ];
  it.each(bad)('%s is refused as %s', (text, code) => {
    expect(parsePrice(text)).toMatchObject({ code });
  });

  it('keeps every amount of up to four decimals exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), (tenThousandths) => {
        const digits = tenThousandths.toString().padStart(5, '0');
        const amount = `${digits.slice(0, -4)}.${digits.slice(-4)}`;
        expect(parsePrice(amount)).toEqual({ value: { amount, currency: null } });
      }),
    );
  });
});

describe('a weight', () => {
  const cases: [string, string | null, string][] = [
    ['500', 'g', '500.0000'],
    ['0.5 kg', null, '500.0000'],
    ['0,5kg', null, '500.0000'],
    ['1', 'lb', '453.5924'],
    ['100 lbs', null, '45359.2370'],
    ['1 oz', 'kg', '28.3495'],
    ['2', 'KG', '2000.0000'],
  ];
  it.each(cases)('%s with the unit %s beside it is %s g', (text, unit, grams) => {
    expect(parseWeight(text, unit)).toEqual({ value: grams });
  });

  it('is refused without a unit, with an unknown one, and when it is none', () => {
    expect(parseWeight('2', null)).toMatchObject({ code: 'WEIGHT_WITHOUT_UNIT' });
    expect(parseWeight('2 stone', null)).toMatchObject({ code: 'INVALID_WEIGHT' });
    expect(parseWeight('-2 kg', null)).toMatchObject({ code: 'INVALID_WEIGHT' });
  });
});

describe('other cells', () => {
  it('a quantity is whole and may be below zero', () => {
    expect(['12', '-3', '12.0'].map(parseQuantity)).toEqual([{ value: 12 }, { value: -3 }, { value: 12 }]);
    for (const text of ['1.5', '1,000', 'many', '9999999999'])
      expect(parseQuantity(text)).toMatchObject({ code: 'INVALID_QUANTITY' });
  });

  it('booleans are what people write for yes and no, nothing else', () => {
    for (const text of ['TRUE', 'true', 'Yes', '1']) expect(parseBoolean(text)).toEqual({ value: true });
    for (const text of ['FALSE', 'no', '0']) expect(parseBoolean(text)).toEqual({ value: false });
    expect(parseBoolean('maybe')).toMatchObject({ code: 'INVALID_BOOLEAN' });
  });

  it('a status is one of ours; an unlisted product is on sale', () => {
    expect(['Active', 'DRAFT', 'archived', 'unlisted'].map(parseStatus)).toEqual(
      ['active', 'draft', 'archived', 'active'].map((value) => ({ value })),
    );
    expect(parseStatus('gone')).toMatchObject({ code: 'INVALID_STATUS' });
  });

  it('of the availabilities, only out of stock says how many pieces there are', () => {
    expect(['in stock', 'out_of_stock', 'preorder'].map(parseAvailability)).toEqual([
      { value: null },
      { value: 0 },
      { value: null },
    ]);
    expect(parseAvailability('soon')).toMatchObject({ code: 'INVALID_AVAILABILITY' });
  });

  it('an address of a picture is http or https, has a host and no blanks, and fits an index', () => {
    expect(parseUrl('https://cdn.example.com/a.jpg?v=1')).toEqual({
      value: 'https://cdn.example.com/a.jpg?v=1',
    });
    for (const text of [
      'cdn.example.com/a.jpg',
      'ftp://x/y',
      'https://',
      'https://a b/c',
      'javascript:alert(1)',
      'https://[',
    ]) {
      expect(parseUrl(text)).toMatchObject({ code: 'INVALID_URL' });
    }
    expect(parseUrl(`https://x.example/${'a'.repeat(2_000)}`)).toMatchObject({ code: 'VALUE_TOO_LONG' });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalAmount, currencyCode, minorDigits, money, zeroOf } from '../../src/domain/money.ts';

describe('an amount', () => {
  test.each([
    ['12.500000', 'EUR', '12.50'],
    ['12', 'EUR', '12.00'],
    ['0.125000', 'EUR', '0.125'],
    ['1250.000000', 'JPY', '1250'],
    ['1250.500000', 'JPY', '1250.5'],
    ['1.2', 'KWD', '1.200'],
    ['-0.000000', 'EUR', '0.00'],
    ['-007.100', 'USD', '-7.10'],
    ['0', 'JPY', '0'],
  ])('%s %s is written %s', (amount, currency, canonical) => {
    expect(canonicalAmount(amount, currency)).toBe(canonical);
  });

  test('keeps its exact value and is written one way only', () => {
    const fraction = fc.integer({ min: 0, max: 999_999 });
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fraction,
        fc.integer({ min: 0, max: 5 }),
        (whole, micros, zeros) => {
          const digits = String(micros).padStart(6, '0');
          const canonical = canonicalAmount(`${whole}.${digits}${'0'.repeat(zeros)}`, 'EUR');
          expect(canonical).toBe(canonicalAmount(canonical, 'EUR'));
          const [left = '', right = ''] = canonical.split('.');
          expect(right.padEnd(6, '0')).toBe(digits);
          expect(BigInt(left)).toBe(whole);
        },
      ),
    );
  });

  test.each(['NaN', 'Infinity', '1e5', '1,5', '', '.5', '5.', '+1', ' 1', '0x10'])(
    '"%s" is refused: it is no plain decimal',
    (text) => expect(() => canonicalAmount(text, 'EUR')).toThrow(RangeError),
  );
});

describe('a currency', () => {
  test('has the minor digits it is written with', () => {
    expect(['EUR', 'JPY', 'KWD'].map(minorDigits)).toEqual([2, 0, 3]);
    expect(['EUR', 'JPY', 'KWD'].map((code) => zeroOf(code).amount)).toEqual(['0.00', '0', '0.000']);
  });

  test.each(['eur', 'EURO', 'ABC', '', '€'])('"%s" is none', (code) => {
    expect(currencyCode.safeParse(code).success).toBe(false);
  });

  test('and an exact amount make money; a number does not', () => {
    expect(money.safeParse({ amount: '12.50', currency: 'EUR' }).success).toBe(true);
    expect(money.safeParse({ amount: 12.5, currency: 'EUR' }).success).toBe(false);
  });
});

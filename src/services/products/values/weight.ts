import type { CellResult } from './cell.ts';

/** In nanograms: the international pound is 453.59237 g exactly. */
const UNITS: Readonly<Record<string, bigint>> = {
  mg: 1_000_000n,
  g: 1_000_000_000n,
  kg: 1_000_000_000_000n,
  oz: 28_349_523_125n,
  lb: 453_592_370_000n,
};
const ALIASES: Readonly<Record<string, string>> = {
  gram: 'g', grams: 'g', gr: 'g', kgs: 'kg', kilogram: 'kg', kilograms: 'kg', ounce: 'oz', ounces: 'oz',
  pound: 'lb', pounds: 'lb', lbs: 'lb', milligram: 'mg', milligrams: 'mg',
}; // prettier-ignore

const PLAIN_GRAMS = /^(?:0|[1-9]\d{0,8})$/;
const WEIGHT = /^(\d{1,9})(?:[.,](\d{1,6}))?\s*([a-z]*)\.?$/i;

/**
 * A weight in grams with four decimals, as `numeric(18,4)` shows it; rounded where pounds and ounces need more.
 * @param unit of a number that says none itself; null where nothing says it, which is a fault: 2 may be kilograms
 */
export function parseWeight(text: string, unit: string | null): CellResult<string> {
  if (unit === 'g' && PLAIN_GRAMS.test(text)) return { value: `${text}.0000` };
  const found = WEIGHT.exec(text);
  if (!found) return { code: 'INVALID_WEIGHT', message: 'is not a weight. Write it like 500 g or 0.5 kg' };
  const [, whole = '0', fraction = '', own = ''] = found;
  const name = (own || (unit ?? '')).toLowerCase();
  if (name === '')
    return { code: 'WEIGHT_WITHOUT_UNIT', message: 'has no unit. Write it like 500 g or 0.5 kg' };
  const factor = UNITS[ALIASES[name] ?? name];
  if (factor === undefined)
    return { code: 'INVALID_WEIGHT', message: `is in "${name}". Use g, kg, lb or oz` };
  const scaled = BigInt(whole + fraction.padEnd(6, '0')) * factor;
  return { value: decimal4((scaled + HALF) / STEP) };
}

/** One ten-thousandth of a gram, in what a millionth of a unit times nanograms comes to */
const STEP = 100_000_000_000n;
const HALF = STEP / 2n;

function decimal4(tenThousandths: bigint): string {
  const digits = tenThousandths.toString().padStart(5, '0');
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
}

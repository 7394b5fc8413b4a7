/**
 * A number in [0, 1) that depends on the text alone, so that whatever is made up with it is the same whenever it is read:
 * FNV-1a, then the finaliser of MurmurHash3, which sets texts that differ in one letter far apart.
 */
export function chance(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

export function between(text: string, low: number, high: number): number {
  return low + (high - low) * chance(text);
}

/** One of the names, as often as its weight says. The weights add up to 1. */
export function pick<Name extends string>(
  text: string,
  weights: Readonly<Record<Name, number>>,
  last: Name,
): Name {
  let left = chance(text);
  for (const name in weights) {
    left -= weights[name];
    if (left < 0) return name;
  }
  return last;
}

/** "12.34" for 1234 hundredths; not for less than nothing. */
export function decimalOf(hundredths: number): string {
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
}

import { isUtf8 } from 'node:buffer';

/** `utf-8` covers ASCII; what is no valid UTF-8 is read as Windows-1252, which contains Latin-1's letters. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

const BOMS: readonly { encoding: Encoding; bytes: readonly number[] }[] = [
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];

/** The encoding that a byte order mark names, and the mark's length; null without one. */
export function readBom(head: Buffer): { encoding: Encoding; length: number } | null {
  const bom = BOMS.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte));
  return bom ? { encoding: bom.encoding, length: bom.bytes.length } : null;
}

/** Where text is mostly ASCII, every other byte of UTF-16 is zero: at least this share of one half … */
const ZERO_SHARE_MIN = 0.4;
/** … and at most this share of the other */
const ZERO_SHARE_REST_MAX = 0.05;

/** UTF-16 without a byte order mark, told by where the zero bytes stand; null when it is none. */
export function guessUtf16(sample: Buffer): 'utf-16le' | 'utf-16be' | null {
  const pairs = Math.floor(sample.length / 2);
  if (pairs < 2) return null;
  let even = 0;
  let odd = 0;
  for (let index = 0; index < pairs * 2; index += 2) {
    if (sample[index] === 0) even += 1;
    if (sample[index + 1] === 0) odd += 1;
  }
  if (odd / pairs >= ZERO_SHARE_MIN && even / pairs <= ZERO_SHARE_REST_MAX) return 'utf-16le';
  if (even / pairs >= ZERO_SHARE_MIN && odd / pairs <= ZERO_SHARE_REST_MAX) return 'utf-16be';
  return null;
}

/**
 * UTF-8 or Windows-1252, by a window that begins at the first byte that is not ASCII. Valid UTF-8 is UTF-8. With
 * faults, the majority of the characters beyond ASCII decides: one broken byte does not turn a whole file's accents
 * into rubbish. `window` may end inside a character.
 */
export function guessByteEncoding(window: Buffer): 'utf-8' | 'windows-1252' {
  const whole = window.subarray(0, window.length - incompleteTail(window));
  if (whole.length > 0 && isUtf8(whole)) return 'utf-8';
  const text = whole.toString('utf8');
  const broken = count(text, /\uFFFD/g);
  const valid = count(text, /[^\p{ASCII}\uFFFD]/gu);
  return valid > broken ? 'utf-8' : 'windows-1252';
}

/** Bytes at the end that may be the begin of a character whose rest is not there yet. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

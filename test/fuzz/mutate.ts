import type { Random } from './random.ts';

const PIECES = [
  '{',
  '}',
  '(',
  ')',
  '"',
  '"""',
  '...',
  '@defer',
  '$',
  ':',
  '!',
  '[',
  ']',
  '#',
  '\\',
  '\u0000',
  '\ud800',
  '\ufeff',
  '🦀',
  '0',
  '-',
  'null',
  '__typename',
  '__schema { types { name } }',
  'fragment F on Query { ...F }',
];

/** The same text with some of it gone, doubled, moved or replaced. */
export function mutate(text: string, random: Random): string {
  let mutated = text;
  const times = 1 + random.int(4);
  for (let n = 0; n < times; n += 1) mutated = once(mutated, random);
  return mutated;
}

function once(text: string, random: Random): string {
  const at = random.int(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.int(20));
  const [before, piece, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
  switch (random.int(6)) {
    case 0:
      return before + after;
    case 1:
      return before + piece + piece + after;
    case 2:
      return before + random.pick(PIECES) + piece + after;
    case 3:
      return before + random.pick(PIECES) + after;
    case 4:
      return before + reversed(piece) + after;
    default:
      return before + String.fromCharCode(random.int(65_536)) + piece + after;
  }
}

/** By units of UTF-16: pairs are to be torn. */
function reversed(text: string): string {
  return Array.from({ length: text.length }, (_, at) => text.charAt(text.length - 1 - at)).join('');
}

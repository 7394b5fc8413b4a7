import type { Random } from './random.ts';

const cursor = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const LISTS = ['jobs', 'children', 'items', 'events', 'products', 'variants', 'schedules', 'scheduleJobs'];
const MORE_LISTS = [
  'notifications',
  'workers',
  'apiKeys',
  'members',
  'webhookEndpoints',
  'webhookDeliveries',
];
const KEYS: readonly unknown[] = [
  '0198c0de-0000-7000-8000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '00000000-0000-0000-0000-000000000000',
  1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53,
  1e21,
  -1,
  0.5,
  null,
  {},
  ['x'],
  'a\u0000',
];

/** A cursor of some list, with a key that may be none of it. */
export function hostileCursor(random: Random): string {
  const list = random.pick([...LISTS, ...MORE_LISTS]);
  return cursor(random.chance(0.9) ? [list, random.pick(KEYS)] : random.pick(KEYS));
}

const STRINGS: readonly string[] = [
  '',
  ' ',
  '\t\n',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'x\udfffy',
  '\ud83d\udca9',
  '\u202eright to left',
  '\ufeffmark',
  'é'.normalize('NFD'),
  "' OR 1=1 --",
  '"; \\',
  '%',
  '___',
  '\\\\\\',
  '%_%\\',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '${7*7}',
  '{{x}}',
  '<script>alert(1)</script>',
  '../../../x',
  'x'.repeat(255),
  'y'.repeat(10_001),
  'null',
  'NaN',
  '-1',
  '1e999',
  '00000000-0000-0000-0000-000000000000',
  'job_00000000000000000000000000',
  'job_7zzzzzzzzzzzzzzzzzzzzzzzzz',
  'job_zzzzzzzzzzzzzzzzzzzzzzzzzz',
  'job_',
  'xxx_01jabcdefghijkmnpqrstvwxyz',
];

/** Of what a field means by its text: times, days, zones, addresses, expressions. */
const MEANINGS: readonly string[] = [
  '0000-01-01',
  '9999-12-31',
  '2026-02-30',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999Z',
  '2026-12-31T23:59:60Z',
  '2026-01-31T12:00:00+23:59',
  '+275760-09-13T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '1e5',
  'Europe/Berlin',
  'Etc/GMT+14',
  'Mars/Base',
  'EUR',
  'eur',
  'ZZZ',
  'a@b.example',
  'a@b',
  'http://[::1',
  'http://127.0.0.1:1/',
  'https://hooks.example.com/x?y=z#f',
  'https://user:pass@hooks.example.com/',
  'javascript:alert(1)',
  'https://xn--a/',
  '* * * * *',
  '@daily',
  '0 0 30 2 *',
  '*/0 * * * *',
  '61 25 * * *',
  'default',
  'long_running',
  'internal',
  'text/csv',
  'a.csv',
  'application/octet-stream',
];

export function hostileText(random: Random): string {
  const share = random.next();
  if (share < 0.15) return hostileCursor(random);
  return random.pick(share < 0.6 ? STRINGS : MEANINGS);
}

/** As it would stand in JSON, and, where it can, in a document. */
const NUMBERS: readonly string[] = [
  '0',
  '-0',
  '1',
  '-1',
  '99',
  '100',
  '101',
  '2147483647',
  '2147483648',
  '-2147483648',
  '-2147483649',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '123456789012345678901234567890',
  '1.5',
  '1e3',
  '1e308',
  '-1e308',
  '5e-324',
  '0.1',
];

export const hostileNumber = (random: Random): string => random.pick(NUMBERS);

const MISFITS: readonly string[] = [
  'null',
  'true',
  'false',
  '[]',
  '{}',
  '[null]',
  '[[[[[[]]]]]]',
  '{"a":{"b":{"c":{"d":{}}}}}',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{}}}',
  '{"toJSON":1,"length":-1}',
  '"\\u0000"',
  '"\\ud800"',
  '1e999',
];

/** Any JSON, whatever is expected. */
export const misfit = (random: Random): string => random.pick(MISFITS);

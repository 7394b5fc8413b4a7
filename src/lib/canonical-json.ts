import { createHash } from 'node:crypto';

/** JSON with sorted keys and without `undefined`: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isPlainObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** SHA-256 of the values' canonical JSON. */
export function canonicalHash(...values: readonly unknown[]): Buffer {
  return createHash('sha256').update(canonicalJson(values)).digest();
}

/** A copy in which no string holds a NUL: jsonb and text refuse it, and files have it. */
export function withoutNul<T>(value: T): T;
export function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\u0000', '');
  if (Array.isArray(value)) return value.map((inner) => withoutNul<unknown>(inner));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [withoutNul(key), withoutNul(inner)]),
  );
}

const ESCAPED = /\\u(?:0000|d[89a-f])/;
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** JSON that PostgreSQL takes: its texts hold neither NUL nor half of a surrogate pair, as what others send may. */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON writes both as escapes, and almost no text has one.
  if (!ESCAPED.test(text)) return text;
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? inner.replaceAll('\u0000', '').replaceAll(LONE_SURROGATE, '\uFFFD') : inner,
  );
}

/** Every string inside a value, for search. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((inner) => stringsIn(inner));
  return isPlainObject(value) ? Object.values(value).flatMap((inner) => stringsIn(inner)) : [];
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

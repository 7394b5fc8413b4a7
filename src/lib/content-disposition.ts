/** What RFC 5987 lets stand in `filename*` unescaped, but for what encodeURIComponent escapes anyway. */
const NOT_ATTR_CHAR = /['()*]/g;
const NOT_PLAIN = /[^\x20-\x7e]|["\\%]/g;

/**
 * A Content-Disposition header that saves a file under this name (RFC 6266): in UTF-8 by RFC 5987, and in ASCII for
 * clients that do not know it. Slashes, control characters and broken surrogates are taken out of the name.
 */
export function attachment(filename: string): string {
  const safe = filename.replace(/[\p{Cc}\p{Cs}/\\]/gu, '_') || 'file';
  const encoded = encodeURIComponent(safe).replace(
    NOT_ATTR_CHAR,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${safe.replace(NOT_PLAIN, '_')}"; filename*=UTF-8''${encoded}`;
}

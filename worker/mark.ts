/** Checkpoints and step results are marks, not stores. */
const MARK_BYTES_MAX = 64 * 1024;

/** @throws when the value is too large to be kept as a mark */
export function markJson(what: string, value: unknown): string {
  const json = JSON.stringify(value ?? null);
  if (Buffer.byteLength(json) > MARK_BYTES_MAX)
    throw new Error(`${what}: expected at most ${MARK_BYTES_MAX} bytes as JSON`);
  return json;
}

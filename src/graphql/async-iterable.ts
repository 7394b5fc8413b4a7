/** Whether a result comes in parts: a subscription's, or a deferred one. */
export function isAsyncIterable<T>(value: T): value is Extract<T, AsyncIterable<unknown>> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

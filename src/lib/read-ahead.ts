/**
 * The values of `source`, each asked for while the one before is used: never more than one waits. An error of the source
 * comes after the values before it. The source is closed when reading ends, however it ends.
 */
export async function* readAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const ask = (): Promise<IteratorResult<T, unknown>> => {
    const asked = iterator.next();
    // It is waited for later: until then its failure is nobody's concern.
    asked.catch(() => undefined);
    return asked;
  };
  try {
    let next = ask();
    for (;;) {
      const current = await next;
      if (current.done) return;
      next = ask();
      yield current.value;
    }
  } finally {
    // A generator that is asked waits for its answer before it closes: whoever reads ends it by its signal.
    iterator.return?.().catch(() => undefined);
  }
}

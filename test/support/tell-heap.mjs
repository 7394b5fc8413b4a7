// Preloaded with --expose-gc --import: on SIGUSR2 the process collects its garbage and tells its parent how much is left.
// Plain JavaScript: it comes before the loader for TypeScript.
process.on('SIGUSR2', () => {
  globalThis.gc();
  process.send({ type: 'heap', bytes: process.memoryUsage().heapUsed });
});

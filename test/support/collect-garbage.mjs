// Preloaded with --expose-gc --import, it has a process collect its garbage twice a second: what its memory grows by is
// then what it holds, not what it has read once. Plain JavaScript: it comes before the loader for TypeScript.
setInterval(() => globalThis.gc(), 500).unref();

import { defineConfig } from 'vitest/config';

export default defineConfig({
  // As Node resolves it: Vite would take graphql's ES module for our own files, while the libraries get the CommonJS one,
  // and two copies do not know each other's errors and schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Processes, not threads: signals, native handles and memory are each test file's own.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    // A promise that nobody awaited fails the run, as it would end a process.
    dangerouslyIgnoreUnhandledErrors: false,
    // .ci/run reads the numbers from the file.
    reporters: ['default', ['json', { outputFile: '.cache/test-results.json' }]],
  },
});

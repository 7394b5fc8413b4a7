/** `npm run bench -- <name> [arguments]`: one file per question, each with its baseline in the same run. */
const BENCHMARKS: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>>> = {
  dashboard: () => import('./dashboard.ts'),
  'fan-out': () => import('./fan-out.ts'),
  import: () => import('./import.ts'),
  outage: () => import('./outage.ts'),
  requests: () => import('./requests.ts'),
  start: () => import('./start-mutation.ts'),
  throughput: () => import('./throughput.ts'),
  'job-lists': () => import('./job-lists.ts'),
  progress: () => import('./progress.ts'),
  sync: () => import('./sync.ts'),
};

const [name = '', ...rest] = process.argv.slice(2);
const load = BENCHMARKS[name];
if (load) {
  await (await load()).run(rest);
  // BullMQ's Postgres backend leaves a timer of an hour behind.
  process.exit();
} else {
  console.error(
    `expected the name of a benchmark, one of ${Object.keys(BENCHMARKS).join(', ')}, got ${JSON.stringify(name)}`,
  );
  process.exitCode = 1;
}

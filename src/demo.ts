import { currentEnvironment } from './config.ts';
import { giveTour } from './demo/tour.ts';
import { runStack } from './dev/run.ts';
import { failStart } from './lib/entry.ts';

const once = process.argv.includes('--once');
const startedAt = Date.now();

/** `npm run demo`: the newcomer's first minute. Goes on serving afterwards; `-- --once` ends instead. */
process.stdout.write('\n  Millrace: starting PostgreSQL, the API and a worker …\n');
await runStack({
  environment: { LOG_LEVEL: 'error', ...currentEnvironment() },
  async use(stack) {
    process.stdout.write(`  Ready after ${((Date.now() - startedAt) / 1_000).toFixed(1)} s\n\n`);
    const job = await giveTour(stack, process.stdout);
    if (job.status !== 'COMPLETED_WITH_WARNINGS' && job.status !== 'COMPLETED') process.exitCode = 1;
    if (once) return 'stop';
    process.stdout.write(
      `\n  It goes on serving. GraphiQL: ${stack.graphql}\n  Token: ${stack.tokens.member}\n  Ctrl-C stops everything; the data stays.\n`,
    );
    return 'serve';
  },
}).catch(failStart);

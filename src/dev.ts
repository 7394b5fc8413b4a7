import { runStack } from './dev/run.ts';
import { failStart } from './lib/entry.ts';
import { currentEnvironment } from './config.ts';

/** To be pasted into GraphiQL. */
const DASHBOARD_QUERY =
  '{ dashboard { revenue { state orders } traffic { state sessions } ads { state clicks } social { state followers } email { state opens } support { state open } } }';

/** `npm run dev`: the whole of Millrace on this machine, with nothing to install. */
await runStack({
  environment: currentEnvironment(),
  use({ graphql, ws, web, tokens, hasDemoAccounts }) {
    const made = hasDemoAccounts ? '\n              Six made-up accounts fill it within a minute.' : '';
    process.stdout.write(
      `\n  Millrace is up\n\n  Page        ${web}\n  GraphiQL    ${graphql}\n  Token       ${tokens.member}\n  …as admin   ${tokens.admin}\n  …as viewer  ${tokens.viewer}\n\n  Dashboard   ${DASHBOARD_QUERY}${made}\n\n  Ctrl-C stops everything; the data stays.\n\n`,
    );
    process.stdout.write(`ready ${JSON.stringify({ graphql, ws, web, token: tokens.member })}\n`);
    return Promise.resolve('serve' as const);
  },
}).catch(failStart);

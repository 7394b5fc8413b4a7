import { sleep } from '../lib/abort.ts';
import type { GetDashboardQuery, MillraceClient } from '../sdk/index.ts';
import { panelLines } from './paint.ts';
import type { Stage } from './stage.ts';

type Dashboard = GetDashboardQuery['dashboard'];

/** Whoever watches has so much patience, in ms. */
const PATIENCE_MS = 60_000;
const LOOK_AGAIN_MS = 250;

/** Waits until the accounts of the demo are read, and tells what each panel says then; or as it stands, when that takes too long. */
export async function tellDashboard(client: MillraceClient, stage: Stage): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  let told = -1;
  for (;;) {
    const dashboard = await client.dashboard();
    if (told < 0)
      stage.write(`\n  The dashboard, last 30 days${isMadeUp(dashboard) ? ', made-up figures' : ''}\n`);
    const { filled, connected } = progressOf(dashboard);
    if (filled === connected || Date.now() > until) {
      if (told >= 0 && stage.isTTY) stage.write('\r\u001b[K');
      for (const line of panelLines(dashboard)) stage.write(`    ${line}\n`);
      return;
    }
    if (filled !== told) {
      const line = `    reading the accounts: ${filled} of ${connected} panels`;
      stage.write(stage.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
    }
    told = filled;
    await sleep(LOOK_AGAIN_MS);
  }
}

function panelsOf({ revenue, traffic, ads, social, email, support }: Dashboard) {
  return [revenue, traffic, ads, social, email, support];
}

/** As the accounts say of themselves. */
function isMadeUp(dashboard: Dashboard): boolean {
  const labels = panelsOf(dashboard).flatMap((panel) => (panel?.sources ?? []).map(({ label }) => label));
  return labels.length > 0 && labels.every((label) => label.includes('made-up figures'));
}

function progressOf(dashboard: Dashboard): { readonly filled: number; readonly connected: number } {
  const states = panelsOf(dashboard).map((panel) => panel?.state ?? 'FAILED');
  const connected = states.filter((state) => state !== 'NOT_CONNECTED');
  return { filled: connected.filter((state) => state === 'READY').length, connected: connected.length };
}

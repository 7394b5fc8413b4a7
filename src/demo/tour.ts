import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { Stack } from '../dev/stack.ts';
import { createClient, type Job, type MillraceClient } from '../sdk/index.ts';
import { tellDashboard } from './dashboard.ts';
import { eventLine, itemLines, resultLines } from './paint.ts';
import type { Stage } from './stage.ts';

const SAMPLE = fileURLToPath(new URL('../../samples/products.csv', import.meta.url));
const ITEMS_SHOWN = 10;

/** The main job through the SDK, as a newcomer's own program would run it: upload, start, watch, read what came of it. */
export async function giveTour(stack: Pick<Stack, 'graphql' | 'tokens'>, stage: Stage): Promise<Job> {
  const client = createClient({ url: stack.graphql, token: stack.tokens.member, webSocketImpl: WebSocket });
  const say = (text = ''): unknown => stage.write(`${text}\n`);
  try {
    const file = await readFile(SAMPLE);
    const uploadId = await client.uploadFile(file, 'products.csv', { byteSize: file.byteLength });
    say(`  Uploaded samples/products.csv, ${(file.byteLength / 1_000).toFixed(1)} kB`);
    const { job } = await client.jobs.start.productImport({ source: { uploadId } });
    say(`  Started ${job.id}, live at ${job.statusUrl}\n`);
    await watch(client, job.id, stage);
    const done = await client.jobs.get(job.id);
    if (!done) throw new Error(`job ${job.id} is gone`);
    say(`\n  What came of it`);
    for (const line of resultLines(done)) say(`    ${line}`);
    await tellItems(client, done, say);
    await tellDashboard(client, stage);
    return done;
  } finally {
    await client.close();
  }
}

async function watch(client: MillraceClient, id: string, stage: Stage): Promise<void> {
  let moving = false;
  for await (const event of client.jobs.watch(id)) {
    // Progress draws over progress; everything else gets a line of its own.
    const again = moving && event.type === 'PROGRESS' && stage.isTTY === true;
    stage.write(`${again ? '\r\u001b[K' : moving ? '\n' : ''}${eventLine(event)}`);
    moving = true;
  }
  stage.write('\n');
}

async function tellItems(client: MillraceClient, job: Job, say: (text: string) => unknown): Promise<void> {
  const items = await client.jobs.items({ id: job.id, first: ITEMS_SHOWN });
  if (!items || items.totalCount === 0) return;
  say(`\n  The rows that need a look (${items.totalCount})`);
  for (const line of itemLines(items)) say(`    ${line}`);
  if (job.rejectedRows)
    say(`    The rejected rows as a file, to mend and upload again: ${job.rejectedRows.url}`);
}

import { readFile } from 'node:fs/promises';
import { WebSocket } from 'ws';
import { toPublicId } from '../../../src/domain/ids.ts';
import { createClient } from '../../../src/sdk/index.ts';
import { waitFor } from '../../support/wait.ts';
import type { Fault } from '../fault.ts';
import { statusOf } from '../ledger.ts';
import { watch } from '../load.ts';

const READERS = 100;
/** 360 MB wait for them in all: the kernel takes up to 2.5 MB for each, and an API that kept the rest 100 MB more. */
const GROWTH_MEGABYTES_MAX = 40;

/** Readers of a long stream stop reading; others and the API's memory must not feel it, and nothing may be missing. */
export const slowReader: Fault = {
  name: 'slow-reader',
  backends: ['postgres', 'redis'],
  shape: { collectedGarbage: true },
  settledWithinSeconds: { full: 30, short: 20 },
  async run(chaos) {
    const { stack, load } = chaos;
    const [api] = stack.apis;
    if (!api) throw new Error('a stack without an API');
    const jobId = await load.start('chatty', stack.scale === 'full' ? 2_000 : 500, true);
    const before = await residentMegabytes(api.pid);
    const sockets = new SlowSockets();
    for (let reader = 0; reader < READERS; reader += 1) {
      const { token } = stack;
      const client = createClient({
        url: `${api.url}/graphql`,
        token,
        webSocketImpl: sockets.implementation,
      });
      const stream = watch(client, toPublicId('job', jobId), jobId, load.reading);
      load.addStream(stream.finally(() => client.close()));
    }
    await waitFor(() => sockets.received >= READERS);
    sockets.pause();
    await waitFor(async () => (await statusOf(stack.db, jobId)) === 'completed', {
      timeoutMs: 60_000,
    });
    chaos.bound('API grew by', (await residentMegabytes(api.pid)) - before, GROWTH_MEGABYTES_MAX, 'MB');
    sockets.resume();
    chaos.over();
  },
};

/** WebSockets that can be told not to read. */
class SlowSockets {
  readonly #sockets: WebSocket[] = [];
  #paused = false;
  received = 0;

  readonly implementation = ((): unknown => {
    const opened = (socket: WebSocket): void => this.#add(socket);
    return class extends WebSocket {
      constructor(...given: ConstructorParameters<typeof WebSocket>) {
        super(...given);
        opened(this);
      }
    };
  })();

  pause(): void {
    this.#paused = true;
    this.#sockets.forEach((socket) => socket.pause());
  }

  resume(): void {
    this.#paused = false;
    this.#sockets.forEach((socket) => socket.resume());
  }

  #add(socket: WebSocket): void {
    this.#sockets.push(socket);
    socket.on('open', () => this.#paused && socket.pause());
    socket.once('message', () => (this.received += 1));
  }
}

/** What the kernel counts as in memory (proc(5), VmRSS); Linux only. */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024) / 1e6;
}

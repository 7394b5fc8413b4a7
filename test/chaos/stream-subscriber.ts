import { createClient as createSocket, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { sleep } from '../../src/lib/abort.ts';
import { createClient as createSdk } from '../../src/sdk/index.ts';

/** Where subscribers connect, which changes while they do. */
export interface Servers {
  readonly token: string;
  /** An address that somebody may answer at */
  pick(): string;
}

/** What one subscriber saw of its job's events. */
export class Tally {
  readonly #seen = new Set<number>();
  #highest = 0;
  doubled = 0;
  outOfOrder = 0;
  isComplete = false;

  /** The last seq from which to go on */
  get last(): number {
    return this.#highest;
  }

  see(seq: number): void {
    if (this.#seen.has(seq)) this.doubled += 1;
    else if (seq < this.#highest) this.outOfOrder += 1;
    this.#seen.add(seq);
    this.#highest = Math.max(this.#highest, seq);
  }

  missingOf(events: number): number {
    return events - this.#seen.size;
  }
}

const EVENTS = 'subscription ($id: ID!, $after: Int!) { jobEvents(id: $id, after: $after) { seq message } }';

/** Between two tries, in ms */
const RETRY_MS = 100;

/** Sockets of the subscribers, to be broken. */
export class BreakableSockets {
  readonly #open = new Set<WebSocket>();

  /** For graphql-ws: a WebSocket that is registered here, and whose end before its beginning is nobody's error. */
  readonly implementation: unknown;

  constructor() {
    const open = this.#open;
    this.implementation = class extends WebSocket {
      constructor(address: string, protocols: string) {
        super(address, protocols);
        open.add(this);
        this.on('error', () => undefined);
        this.on('close', () => open.delete(this));
      }
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Cuts some without a word. @returns how many */
  breakSome(share: number): number {
    const some = [...this.#open].filter(() => Math.random() < share);
    some.forEach((socket) => socket.terminate());
    return some.length;
  }
}

/** Several subscribers on one socket, each going on after its last event whenever the socket breaks. */
export async function followOverSocket(
  servers: Servers,
  sockets: BreakableSockets,
  jobs: readonly string[],
  tallies: readonly Tally[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && tallies.some(({ isComplete }) => !isComplete)) {
    const client = createSocket({
      url: servers.pick().replace('http', 'ws'),
      connectionParams: { token: servers.token },
      webSocketImpl: sockets.implementation,
      retryAttempts: 0,
      lazyCloseTimeout: 0,
    });
    const stop = (): void => client.terminate();
    signal.addEventListener('abort', stop, { once: true });
    const open = tallies.flatMap((tally, index) => (tally.isComplete ? [] : [{ tally, job: jobs[index] }]));
    await Promise.all(open.map(({ tally, job = '' }) => followOnce(client, job, tally)));
    signal.removeEventListener('abort', stop);
    await client.dispose();
    await sleep(RETRY_MS, signal);
  }
}

/** Resolves when the subscription ends for whatever reason; only a `complete` completes it. */
function followOnce(client: Client, id: string, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    let failed = false;
    client.subscribe<{ jobEvents: { seq: number } }>(
      { query: EVENTS, variables: { id, after: tally.last } },
      {
        next: ({ data, errors }) => {
          failed ||= errors !== undefined;
          if (data) tally.see(data.jobEvents.seq);
        },
        error: () => resolve(),
        complete: () => {
          if (!failed) tally.isComplete = true;
          resolve();
        },
      },
    );
  });
}

/** One subscriber by the SDK, which resumes by itself; another client when its server is away for too long. */
export async function followBySdk(
  servers: Servers,
  transport: 'ws' | 'sse',
  job: string,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && !tally.isComplete) {
    const client = createSdk({ url: servers.pick(), token: servers.token, webSocketImpl: WebSocket });
    try {
      const watched = client.jobs.watch(job, { after: tally.last, transport, signal });
      for await (const { seq } of watched) tally.see(seq);
      tally.isComplete = true;
    } catch {
      await sleep(RETRY_MS, signal);
    } finally {
      await client.close();
    }
  }
}

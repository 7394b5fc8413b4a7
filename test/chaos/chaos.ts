import { raceAbort, sleep } from '../../src/lib/abort.ts';
import { waitFor } from '../support/wait.ts';
import { statusOf, takeovers } from './ledger.ts';
import type { Load } from './load.ts';
import type { ChaosProcess } from './process.ts';
import { GO_ON, heldMessage } from './scripts.ts';
import type { Stack } from './stack.ts';
import type { Bound } from './verdict.ts';

/** Taken over within so many seconds of a worker's death. */
const TAKEOVER_SECONDS = 20;
/** Deaf, and not ready within so many seconds. */
const DEAF_SECONDS = 15;
const PROBE_MS = 1_500;
const HELD_MS = 30_000;
/** Acknowledged, by a worker that lives */
const CANCEL_SECONDS = 1;

/** What a fault works with: the stack it breaks, the load on it, and the bounds it measures. */
export class Chaos {
  readonly stack: Stack;
  readonly load: Load;
  readonly bounds: Bound[] = [];
  #endedAtMs: number | null = null;

  constructor(stack: Stack, load: Load) {
    this.stack = stack;
    this.load = load;
  }

  /** When the fault was over: when `over` was called, else when it is asked. */
  get endedAtMs(): number {
    return (this.#endedAtMs ??= Date.now());
  }

  /** The fault is over now; what the run still does is looking. */
  over(): void {
    this.#endedAtMs = Date.now();
  }

  /** So long in full runs, and so long in short ones. */
  async last(fullSeconds: number, shortSeconds: number): Promise<void> {
    await sleep((this.stack.scale === 'full' ? fullSeconds : shortSeconds) * 1_000);
  }

  bound(name: string, value: number, limit: number, unit: Bound['unit'] = 's'): void {
    this.bounds.push({ name, value, limit, unit });
  }

  /** Waits until each of these jobs has an attempt elsewhere or is settled, and notes how long it took. */
  async expectTakeover(jobIds: readonly string[], from: ChaosProcess, sinceMs: number): Promise<void> {
    if (jobIds.length === 0) throw new Error('nothing ran on the worker that was to be taken over');
    const lastMs = await waitFor(
      async () => {
        const taken = await takeovers(this.stack.db, jobIds, from.pid);
        return taken.waiting === 0 ? (taken.lastMs ?? sinceMs) : null;
      },
      { timeoutMs: 2 * TAKEOVER_SECONDS * 1_000 },
    );
    this.bound('takeover', Math.max(0, lastMs - sinceMs) / 1_000, TAKEOVER_SECONDS);
  }

  /** Waits until the processes say that they are not ready, as a balancer asks them: no answer in time is a no. */
  async expectNotReady(name: string, processes: readonly ChaosProcess[], sinceMs: number): Promise<void> {
    await Promise.all(
      processes.map((process) =>
        waitFor(async () => !(await isReady(process)), { timeoutMs: 3 * DEAF_SECONDS * 1_000 }),
      ),
    );
    this.bound(`${name} not ready`, (Date.now() - sinceMs) / 1_000, DEAF_SECONDS);
  }

  /** A cancel reaches the attempt that runs, whatever happened before. */
  async expectCancel(): Promise<void> {
    const { db } = this.stack;
    const { id, jobId, client } = await this.load.startUncounted('wait');
    await waitFor(async () => (await statusOf(db, jobId)) === 'running', { timeoutMs: 30_000 });
    const sinceMs = performance.now();
    await client.jobs.cancel(id, { reason: 'chaos' });
    await waitFor(async () => (await statusOf(db, jobId)) === 'cancelled', { timeoutMs: 20_000 });
    this.bound('cancel', (performance.now() - sinceMs) / 1_000, CANCEL_SECONDS);
  }

  async expectReady(processes: readonly ChaosProcess[], timeoutMs = 60_000): Promise<void> {
    await Promise.all(processes.map((process) => waitFor(() => isReady(process), { timeoutMs })));
  }

  /** Starts a job whose first attempt stands still inside its transaction. @returns it, and the worker that runs it */
  async startHeld(script: 'copy' | 'upsert', rows: number): Promise<{ jobId: string; worker: ChaosProcess }> {
    const stopListening: (() => void)[] = [];
    const held = new Promise<{ jobId: string; worker: ChaosProcess }>((resolve) => {
      for (const worker of this.stack.workers) {
        const listener = (message: unknown): void => {
          const parsed = heldMessage.safeParse(message);
          if (parsed.success) resolve({ jobId: parsed.data.jobId, worker });
        };
        stopListening.push(worker.onMessage(listener));
      }
    });
    try {
      await this.load.start(script, rows, true);
      return await raceAbort(held, AbortSignal.timeout(HELD_MS));
    } finally {
      stopListening.forEach((stop) => stop());
    }
  }

  /** Lets what is held go on, as soon as its process does. */
  goOn(worker: ChaosProcess): void {
    worker.send({ type: GO_ON });
  }
}

async function isReady({ url }: ChaosProcess): Promise<boolean> {
  try {
    const response = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(PROBE_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

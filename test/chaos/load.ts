import { setMaxListeners } from 'node:events';
import { uuidOf } from '../../src/domain/ids.ts';
import { sleep, toError } from '../../src/lib/abort.ts';
import { MillraceUserError, type MillraceClient } from '../../src/sdk/index.ts';
import { waitFor } from '../support/wait.ts';
import { scriptColumn, type ScriptName } from './scripts.ts';
import type { AcceptedJob, SeenStream } from './verdict.ts';

export interface LoadOptions {
  /** One per API process; starts go round */
  readonly clients: readonly MillraceClient[];
  /** Of the upload that every job names as its source */
  readonly uploadId: string;
  /** Of every idempotency key: tells this load's jobs from others' */
  readonly prefix: string;
  readonly perSecond: number;
}

/** A start is tried again so often, with the same key, until the API has acknowledged it. */
const RETRY_MS = 250;
const START_TIMEOUT_MS = 120_000;
/** Starts that are under way at once; while the API does not answer, no more are begun. */
const STARTING_MAX = 40;
/** Every so many-th job of the steady load has a reader */
const WATCHED_EVERY = 5;
const WATCHED_MAX = 60;

/** Clients of the run: they start jobs as long as it is on, and some read the events of what they started. */
export class Load {
  readonly #options: LoadOptions;
  readonly #accepted: AcceptedJob[] = [];
  readonly #streams: Promise<SeenStream>[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  readonly #reading = new AbortController();
  readonly #steady: Promise<void>;
  #started = 0;
  #failure: Error | null = null;

  constructor(options: LoadOptions) {
    this.#options = options;
    // Every reader listens to it.
    setMaxListeners(0, this.#reading.signal);
    this.#steady = this.#runSteady();
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  /** Fires when the readers have to end */
  get reading(): AbortSignal {
    return this.#reading.signal;
  }

  /** What the API has acknowledged so far */
  get accepted(): readonly AcceptedJob[] {
    return this.#accepted;
  }

  /** Starts one job and waits for the API's word, however often it has to be asked. @returns the job's uuid */
  async start(script: ScriptName, rows: number, watched = false): Promise<string> {
    const number = (this.#started += 1);
    const { id, jobId, client } = await this.#ask(`${this.#options.prefix}-${number}`, number, script, rows);
    this.#accepted.push({ jobId, rows });
    if (watched) this.addStream(watch(client, id, jobId, this.#reading.signal));
    return jobId;
  }

  /** Starts a job that the verdict does not count. @returns its public id, and the client that started it */
  async startUncounted(script: ScriptName): Promise<{ id: string; jobId: string; client: MillraceClient }> {
    const number = (this.#started += 1);
    return this.#ask(`uncounted-${this.#options.prefix}-${number}`, number, script, 1);
  }

  /** Has the verdict judge one more reader. */
  addStream(stream: Promise<SeenStream>): void {
    this.#streams.push(stream);
  }

  async #ask(key: string, number: number, script: ScriptName, rows: number) {
    const { uploadId } = this.#options;
    const input = { source: { uploadId }, mapping: [{ column: scriptColumn(script, rows), field: 'title' }] };
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    for (let tries = 0; ; tries += 1) {
      const client = this.#client(number + tries);
      try {
        const { job } = await client.jobs.start.productImport(input, { idempotencyKey: key, signal });
        const jobId = uuidOf('job', job.id);
        if (jobId === null) throw new MillraceUserError([]);
        return { id: job.id, jobId, client };
      } catch (error) {
        if (signal.aborted || error instanceof MillraceUserError) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** Starts many, some at once. */
  async startMany(count: number, script: ScriptName, rows: number, watched = false): Promise<string[]> {
    const ids: string[] = [];
    let left = count;
    const startOneByOne = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        ids.push(await this.start(script, rows, watched));
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, 16) }, startOneByOne));
    return ids;
  }

  /** Ends the steady load and waits until each start that was begun is acknowledged. @throws what no client expects */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#steady;
    await Promise.all(this.#pending);
    if (this.#failure) throw this.#failure;
  }

  /** What the readers got; a stream that has not ended by then is broken off. */
  async streams(withinMs: number): Promise<SeenStream[]> {
    const late = setTimeout(() => this.#reading.abort(new Error('it did not end')), withinMs);
    try {
      return await Promise.all(this.#streams);
    } finally {
      clearTimeout(late);
    }
  }

  /** Waits until the steady load has been acknowledged so often. */
  async warm(count: number): Promise<void> {
    await waitFor(() => this.#accepted.length >= count, { timeoutMs: 60_000 });
  }

  async #runSteady(): Promise<void> {
    const { signal } = this.#stop;
    const everyMs = 1_000 / this.#options.perSecond;
    for (let count = 0; !signal.aborted; count += 1) {
      await sleep(everyMs, signal);
      if (signal.aborted || this.#pending.size >= STARTING_MAX) continue;
      const watched = count % WATCHED_EVERY === 0 && this.#streams.length < WATCHED_MAX;
      const starting: Promise<unknown> = this.start('rows', 3, watched)
        .catch((error: unknown) => (this.#failure ??= toError(error)))
        .finally(() => this.#pending.delete(starting));
      this.#pending.add(starting);
    }
  }

  #client(number: number): MillraceClient {
    const { clients } = this.#options;
    const client = clients[number % clients.length];
    if (!client) throw new Error('a load needs a client');
    return client;
  }
}

/** Reads a job's events to their end, over broken links. */
export async function watch(
  client: MillraceClient,
  id: string,
  jobId: string,
  signal: AbortSignal,
): Promise<SeenStream> {
  const seqs: number[] = [];
  try {
    for await (const { seq } of client.jobs.watch(id, { signal })) seqs.push(seq);
    return { jobId, seqs, error: null };
  } catch (error) {
    return { jobId, seqs, error: toError(error).message };
  }
}

import { GraphQLError } from 'graphql';
import { isAsyncIterable } from '../async-iterable.ts';
import { encodeResult, type LiveResult } from '../encode-result.ts';
import type { EventStream } from './event-stream.ts';

/** One operation whose results go to an event stream, while its own request is answered with 202. */
export class StreamedOperation {
  readonly #stream: EventStream;
  #id: string | null = null;
  #results: AsyncIterator<LiveResult> | null = null;
  #isRunning = false;
  #isOver = false;
  readonly #operationsMax: number;
  readonly #onEnd: () => void;

  /** @param onEnd called once, however it ends */
  constructor(stream: EventStream, operationsMax: number, onEnd: () => void) {
    this.#stream = stream;
    this.#operationsMax = operationsMax;
    this.#onEnd = onEnd;
  }

  /** Whether it came to be executed: what is wrong with it before is its request's error. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Whether its results are being sent, or have been. */
  get isStarted(): boolean {
    return this.#results !== null;
  }

  /** Takes its id on the stream. @throws GraphQLError with an HTTP status when it cannot have it */
  claim(id: unknown): void {
    if (this.#id !== null) throw refusal(400, 'BAD_USER_INPUT', 'One request starts one operation.');
    if (typeof id !== 'string' || id === '') {
      throw refusal(400, 'BAD_USER_INPUT', 'extensions.operationId: expected a text that is not empty.');
    }
    const { operations } = this.#stream;
    if (operations.has(id)) throw refusal(409, 'CONFLICT', `An operation with the id ${id} is under way.`);
    if (operations.size >= this.#operationsMax) {
      const message = `At most ${this.#operationsMax} operations may run on one stream.`;
      throw refusal(429, 'LIMIT_EXCEEDED', message);
    }
    this.#id = id;
    operations.set(id, this);
  }

  run(): void {
    this.#isRunning = true;
  }

  /** Sends one result, or all of many. @returns false when the client has stopped the operation meanwhile */
  start(results: LiveResult | AsyncIterable<LiveResult>): boolean {
    const iterator = isAsyncIterable(results) ? results[Symbol.asyncIterator]() : only(results);
    this.#results = iterator;
    if (this.#isOver) {
      stop(iterator);
      return false;
    }
    this.#send(iterator)
      // Cut, so that the client comes back: an end would look like the operation's.
      .catch(() => this.#stream.close())
      .finally(() => this.end());
    return true;
  }

  /** Says nothing more. Safe to call twice. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#id !== null) this.#stream.operations.delete(this.#id);
    if (this.#results) stop(this.#results);
    this.#onEnd();
  }

  /** Yoga turns what ends the results into one with errors. @throws what is left: that they were aborted */
  async #send(results: AsyncIterator<LiveResult>): Promise<void> {
    const id = JSON.stringify(this.#id);
    for (;;) {
      const next = await results.next();
      if (this.#isOver) return;
      if (next.done) break;
      const event = `event: next\ndata: {"id":${id},"payload":${encodeResult(next.value)}}\n\n`;
      if (!(await this.#stream.write(event)) || this.#isOver) return;
    }
    await this.#stream.write(`event: complete\ndata: {"id":${id}}\n\n`);
  }
}

function stop(results: AsyncIterator<LiveResult>): void {
  results.return?.().catch(() => undefined);
}

function only(result: LiveResult): AsyncIterator<LiveResult> {
  const values = [result].values();
  return { next: () => Promise.resolve(values.next()) };
}

function refusal(status: number, code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status } } });
}

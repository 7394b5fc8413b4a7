import type { ExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { isAsyncIterable } from './async-iterable.ts';
import type { SocketConnection } from './websocket-connection.ts';

/** A part of an answer that was deferred or streamed */
interface LivePart {
  readonly errors?: readonly GraphQLError[] | undefined;
}

/** An ExecutionResult, as graphql-ws types it too, and what follows it under `@defer` and `@stream` */
export type LiveResult = { [K in keyof ExecutionResult]?: ExecutionResult[K] | undefined } & {
  readonly incremental?: readonly LivePart[] | undefined;
};

/** What subscribers of one shared execution get is the same object: it is encoded once for all of them. */
const encoded = new WeakMap<LiveResult, string>();

/**
 * An operation on a socket, from `subscribe` on. It sends its results by itself, each as soon as its reader has room:
 * to graphql-ws it is an operation without results, which opens, ends, fails and is completed as any other. graphql-ws
 * would encode every result again for every subscriber.
 *
 * Once its client has completed it, graphql-ws hears no more of it: the client may have given its id to another by then,
 * and graphql-ws knows operations by their ids alone.
 */
export class LiveOperation implements AsyncIterableIterator<never, undefined> {
  #results: AsyncIterator<LiveResult> | null = null;
  readonly #connection: SocketConnection;
  readonly #head: string;
  #isOver = false;

  constructor(connection: SocketConnection, id: string) {
    this.#connection = connection;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @returns the value; of a promise that never resolves when the client has completed the operation */
  unlessOver<T>(value: T): Promise<T> {
    return this.#isOver ? never() : Promise.resolve(value);
  }

  /** Sends one result, or all of many. */
  start(results: LiveResult | AsyncIterable<LiveResult>): Promise<this> {
    this.#results = isAsyncIterable(results) ? results[Symbol.asyncIterator]() : only(results);
    if (!this.#isOver) return Promise.resolve(this);
    this.#results.return?.().catch(() => undefined);
    return never();
  }

  /** Resolves at the end of the results. @throws what ended them */
  async next(): Promise<IteratorResult<never, undefined>> {
    for (;;) {
      const result = await this.#results?.next();
      if (this.#isOver) return never();
      if (!result || result.done) return { done: true, value: undefined };
      const behind = this.#connection.send(`${this.#head}${encodeResult(result.value)}}`);
      if (behind) await behind;
    }
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.#isOver = true;
    await this.#results?.return?.();
    return { done: true, value: undefined };
  }
}

const never = <T>(): Promise<T> => new Promise(() => undefined);

function only(result: LiveResult): AsyncIterator<LiveResult> {
  const values = [result].values();
  return { next: () => Promise.resolve(values.next()) };
}

function encodeResult(result: LiveResult): string {
  if (result.errors ?? result.incremental) return JSON.stringify(formatResult(result));
  const known = encoded.get(result);
  if (known !== undefined) return known;
  const json = JSON.stringify(result);
  encoded.set(result, json);
  return json;
}

/** A result with errors as clients see it. */
function formatResult({ errors, incremental, ...rest }: LiveResult): object {
  return {
    ...rest,
    ...(errors && { errors: errors.map(withoutInternals) }),
    ...(incremental && { incremental: incremental.map(formatPart) }),
  };
}

function formatPart(part: LivePart): object {
  return part.errors ? { ...part, errors: part.errors.map(withoutInternals) } : part;
}

/** HTTP statuses and the like are of no use here, and Yoga takes them out of HTTP answers only. */
export function withoutInternals(error: GraphQLError): GraphQLFormattedError {
  const json = error.toJSON();
  if (!json.extensions) return json;
  const { http: _http, unexpected: _unexpected, ...extensions } = json.extensions;
  return { ...json, extensions };
}

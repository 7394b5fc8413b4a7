import type { ExecutionResult, FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import type { SocketConnection } from './websocket-connection.ts';

/** An ExecutionResult, as graphql-ws types it too */
export type LiveResult = { [K in keyof ExecutionResult]?: ExecutionResult[K] | undefined };

/** What subscribers of one shared execution get is the same object: it is encoded once for all of them. */
const encoded = new WeakMap<LiveResult, string>();

/**
 * A subscription that sends its results by itself, each as soon as its reader has room: to graphql-ws it is an
 * operation without results, which opens, ends, fails and is completed as any other. graphql-ws would encode every
 * result again for every subscriber.
 */
export class LiveOperation implements AsyncIterableIterator<never, undefined> {
  readonly #results: AsyncIterator<LiveResult>;
  readonly #connection: SocketConnection;
  readonly #head: string;
  #isOver = false;

  constructor(results: AsyncIterable<LiveResult>, connection: SocketConnection, id: string) {
    this.#results = results[Symbol.asyncIterator]();
    this.#connection = connection;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Sends all; resolves at the end of the results. @throws what ended them */
  async next(): Promise<IteratorResult<never, undefined>> {
    for (;;) {
      const result = await this.#results.next();
      if (result.done || this.#isOver) return { done: true, value: undefined };
      const behind = this.#connection.send(`${this.#head}${encodeResult(result.value)}}`);
      if (behind) await behind;
    }
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.#isOver = true;
    await this.#results.return?.();
    return { done: true, value: undefined };
  }
}

function encodeResult(result: LiveResult): string {
  if (result.errors) return JSON.stringify(formatResult(result));
  const known = encoded.get(result);
  if (known !== undefined) return known;
  const json = JSON.stringify(result);
  encoded.set(result, json);
  return json;
}

/** A result with errors as clients see it. */
export function formatResult(result: LiveResult): FormattedExecutionResult {
  const { errors = [], data = null, extensions = {}, ...rest } = result;
  return { ...rest, data, extensions, errors: errors.map(withoutInternals) };
}

/** HTTP statuses and the like are of no use here, and Yoga takes them out of HTTP answers only. */
export function withoutInternals(error: GraphQLError): GraphQLFormattedError {
  const json = error.toJSON();
  if (!json.extensions) return json;
  const { http: _http, unexpected: _unexpected, ...extensions } = json.extensions;
  return { ...json, extensions };
}

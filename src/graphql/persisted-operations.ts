import { hash } from 'node:crypto';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { z } from 'zod';
import { problem } from './errors.ts';

/** Documents by the SHA-256 of their text, in lower-case hex, or by another name that a client's tool gave them. */
export type OperationList = ReadonlyMap<string, string>;

/** What a client may send of a document: its text, its name in the list, or both. */
export interface DocumentParams {
  readonly query?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

export interface PersistedOperationsOptions {
  readonly operations: OperationList;
  /** Whether nothing else may run */
  readonly isExclusive: boolean;
}

/** https://www.apollographql.com/docs/apollo-server/performance/apq: what Apollo's and urql's links send */
const extensions = z.object({ persistedQuery: z.object({ sha256Hash: z.string() }) });

/** Operations that clients name instead of sending them, and in exclusive mode the only ones that run. */
export class PersistedOperations {
  readonly #operations: OperationList;
  readonly #isExclusive: boolean;

  constructor({ operations, isExclusive }: PersistedOperationsOptions) {
    this.#operations = operations;
    this.#isExclusive = isExclusive;
  }

  /**
   * The text that is meant; null when none was given.
   * @throws GraphQLError PERSISTED_QUERY_NOT_FOUND, on which Apollo's and urql's links send the text; FORBIDDEN for one
   * that is not on the list
   */
  textOf({ query, documentId, extensions: more }: DocumentParams): string | null {
    const text = typeof query === 'string' && query !== '' ? query : null;
    const id = idOf(documentId, more);
    if (id === null) return text === null ? null : this.#allowed(text);
    const known = this.#operations.get(id);
    if (text === null && known === undefined) throw notFound(id);
    if (text === null) return known ?? null;
    if (known !== undefined && known !== text) throw mismatch();
    return this.#allowed(text);
  }

  #allowed(text: string): string {
    if (this.#isExclusive && !this.#operations.has(sha256(text))) throw notListed();
    return text;
  }
}

/** The same for GraphQL over HTTP. */
export function usePersistedOperations(persisted: PersistedOperations): Plugin {
  return {
    onParams({ params, setParams, request }) {
      const query = persisted.textOf({ ...params, documentId: documentIdOf(params, request) });
      if (query !== null) setParams({ ...params, query });
    },
  };
}

function documentIdOf(params: GraphQLParams, request: Request): unknown {
  if ('documentId' in params) return params.documentId;
  if (request.method !== 'GET') return null;
  return new URL(request.url, 'http://localhost').searchParams.get('documentId');
}

/** Names of one text: its SHA-256 with and without the prefix mean the same. */
export function operationId(id: string): string {
  return id.replace(/^sha256:/i, '').toLowerCase();
}

export function sha256(text: string): string {
  return hash('sha256', text);
}

function idOf(documentId: unknown, more: unknown): string | null {
  if (typeof documentId === 'string' && documentId !== '') return operationId(documentId);
  if (more === undefined || more === null) return null;
  const parsed = extensions.safeParse(more);
  return parsed.success ? operationId(parsed.data.persistedQuery.sha256Hash) : null;
}

const refused = { status: 400, spec: true };

const notFound = (id: string) =>
  problem('PERSISTED_QUERY_NOT_FOUND', `No operation of this server's list is called ${id.slice(0, 100)}.`, {
    http: refused,
  });

const mismatch = () =>
  problem('BAD_USER_INPUT', 'The operation is another than the one of this name on the list.', {
    http: refused,
  });

const notListed = () =>
  problem('FORBIDDEN', "Only operations of this server's list may run, and this is none of them.", {
    http: { status: 403, spec: true },
  });

import type { ExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';

/** A part of an answer that was deferred or streamed */
export interface LivePart {
  readonly errors?: readonly GraphQLError[] | undefined;
}

/** An ExecutionResult, as the libraries type it too, and what follows it under `@defer` and `@stream` */
export type LiveResult = { [K in keyof ExecutionResult]?: ExecutionResult[K] | undefined } & {
  readonly incremental?: readonly LivePart[] | undefined;
};

/** What subscribers of one shared execution get is the same object: it is encoded once for all of them. */
const encoded = new WeakMap<LiveResult, string>();

/** A result as clients see it, in JSON. */
export function encodeResult(result: LiveResult): string {
  if (result.errors ?? result.incremental) return JSON.stringify(formatResult(result));
  const known = encoded.get(result);
  if (known !== undefined) return known;
  const json = JSON.stringify(result);
  encoded.set(result, json);
  return json;
}

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

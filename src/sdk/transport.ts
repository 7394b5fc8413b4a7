/** An operation's text with the types of its variables and answer; made by codegen from src/sdk/operations. */
export interface TypedOperation<Result, Variables> {
  toString(): string;
  readonly __apiType?: ((variables: Variables) => Result) | undefined;
}

export type FetchLike = (input: string, init: RequestInit) => Promise<Response>;

/** What the transports share. */
export interface Connection {
  /** Address of `/graphql` over HTTP */
  readonly url: string;
  readonly fetch: FetchLike;
  token(): string | Promise<string>;
  /** Which of the token's organizations; absent: its only one */
  readonly organization?: string | undefined;
}

/** An operation ready to be sent. */
export interface WireRequest {
  readonly query: string;
  readonly variables: object;
}

/** One answer of an operation. */
export interface WireResult {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[];
}

/** Results of a subscription over one connection; ends when the server completes it, throws when the link breaks. */
export type Subscribe = (request: WireRequest, signal: AbortSignal | undefined) => AsyncIterable<WireResult>;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** What the server sent, if it is a GraphQL answer. */
export function parseResult(value: unknown): WireResult | null {
  if (!isObject(value)) return null;
  const { data, errors } = value;
  if (!Array.isArray(errors)) return 'data' in value ? { data } : null;
  return { data, errors: errors.filter(isObject).map(toWireError) };
}

function toWireError({ message, extensions }: Readonly<Record<string, unknown>>) {
  return {
    message: typeof message === 'string' ? message : 'The server sent an error without a message.',
    ...(isObject(extensions) ? { extensions } : {}),
  };
}

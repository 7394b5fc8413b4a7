import { errorOf, MillraceConnectionError } from './errors.ts';
import { noAnswer, send } from './http.ts';
import { parseResult, type Connection, type Subscribe, type WireResult } from './transport.ts';

/** The server sends a comment every 12 s; a link that says nothing for so long is dead, in ms. */
const SILENCE_MAX_MS = 30_000;

/** Subscriptions over Server-Sent Events ("distinct connections" mode), read with fetch. */
export function createSseTransport(connection: Connection): Subscribe {
  return async function* subscribe(request, signal) {
    const dead = new AbortController();
    const ended = AbortSignal.any(signal ? [signal, dead.signal] : [dead.signal]);
    let silence = setTimeout(() => dead.abort(), SILENCE_MAX_MS);
    const alive = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => dead.abort(), SILENCE_MAX_MS);
    };
    try {
      const response = await send(connection, request, 'text/event-stream', ended);
      yield* results(response, alive);
    } catch (error) {
      signal?.throwIfAborted();
      if (dead.signal.aborted) throw new MillraceConnectionError('The event stream fell silent.');
      throw error;
    } finally {
      clearTimeout(silence);
      dead.abort();
    }
  };
}

async function* results(response: Response, alive: () => void): AsyncGenerator<WireResult, void> {
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const result = parseResult(await response.json().catch(() => null));
    throw result?.errors ? errorOf(result.errors) : noAnswer(response);
  }
  for await (const { event, data } of messages(response.body, alive)) {
    if (event === 'complete') return;
    const result = event === 'next' ? parseResult(JSON.parse(data)) : null;
    if (result) yield result;
  }
  throw new MillraceConnectionError('The event stream broke off.');
}

interface Message {
  readonly event: string;
  readonly data: string;
}

/** Messages of a stream, by https://html.spec.whatwg.org/multipage/server-sent-events.html; comments only keep it alive. */
async function* messages(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<Message, void> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let buffer = '';
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }) as const);
      if (done || !value) return;
      alive();
      buffer = (buffer + decoder.decode(value, { stream: true })).replaceAll('\r\n', '\n');
      const blocks = buffer.split('\n\n');
      buffer = blocks.pop() ?? '';
      for (const block of blocks) {
        const message = parseMessage(block);
        if (message) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parseMessage(block: string): Message | null {
  const fields = block
    .split('\n')
    .map((line) => /^(event|data): ?(.*)$/.exec(line))
    .filter((match) => match !== null);
  if (fields.length === 0) return null;
  const of = (name: string): string[] =>
    fields.filter(([, field]) => field === name).map(([, , value = '']) => value);
  return { event: of('event').at(-1) ?? 'message', data: of('data').join('\n') };
}

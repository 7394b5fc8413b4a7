import { z } from 'zod';
import { readEvents } from './event-stream.ts';
import type { TestApi } from './api.ts';
import { RawSocket } from './raw-socket.ts';

const path = z.array(z.union([z.string(), z.number()]));
const errors = z
  .array(
    z.object({ message: z.string(), path: path.optional(), extensions: z.record(z.string(), z.unknown()) }),
  )
  .optional();
const part = z.strictObject({
  data: z.unknown().optional(),
  items: z.array(z.unknown()).nullish(),
  path,
  label: z.string().optional(),
  errors,
  extensions: z.unknown().optional(),
});
/** One payload by the format of 2022-08-24, which has nothing else in it. */
const payload = z.strictObject({
  data: z.unknown().optional(),
  errors,
  incremental: z.array(part).optional(),
  hasNext: z.boolean().optional(),
  extensions: z.unknown().optional(),
});
export type Payload = z.infer<typeof payload>;
export type Part = z.infer<typeof part>;

export const TRANSPORTS = ['multipart/mixed', 'Server-Sent Events', 'WebSocket'] as const;
export type Transport = (typeof TRANSPORTS)[number];

interface Asked {
  readonly query: string;
  readonly variables?: object;
  readonly signal?: AbortSignal;
}

/** Payloads of one operation, each as it comes. */
export async function* payloadsOf(
  api: TestApi,
  transport: Transport,
  { signal, ...body }: Asked,
  token = api.tokens.member,
): AsyncGenerator<Payload, void> {
  if (transport === 'WebSocket') {
    yield* overSocket(api, body, token);
    return;
  }
  const response = await fetch(api.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: transport === 'multipart/mixed' ? transport : 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  if (response.status !== 200) throw new Error(`expected 200, got ${response.status}`);
  yield* transport === 'multipart/mixed' ? readParts(response) : readNexts(response);
}

async function* overSocket(api: TestApi, body: object, token: string): AsyncGenerator<Payload, void> {
  await using socket = await RawSocket.open(api.graphqlUrl);
  socket.send({ type: 'connection_init', payload: { token } });
  await socket.next();
  socket.send({ id: '1', type: 'subscribe', payload: body });
  for (;;) {
    const message = await socket.next();
    if (message.type !== 'next') return;
    yield payload.parse(message.payload);
  }
}

async function* readNexts(response: Response): AsyncGenerator<Payload, void> {
  for await (const { event, data } of readEvents(response)) {
    if (event === 'complete') return;
    yield payload.parse(data);
  }
  throw new Error('the stream ended without its complete');
}

/** RFC 2046, as https://github.com/graphql/graphql-over-http/blob/main/rfcs/IncrementalDelivery.md uses it */
async function* readParts(response: Response): AsyncGenerator<Payload, void> {
  const type = response.headers.get('content-type') ?? '';
  const boundary = /^multipart\/mixed; ?boundary="(.+)"/.exec(type)?.[1];
  if (boundary === undefined || !response.body) throw new Error(`expected multipart/mixed, got ${type}`);
  let text = '';
  let isPreamble = true;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (;;) {
      const [before, ...behind] = text.split(`\r\n--${boundary}`);
      if (behind.length === 0) break;
      if (!isPreamble) yield readPart(before ?? '');
      isPreamble = false;
      text = behind.join(`\r\n--${boundary}`);
    }
  }
  if (text !== '--\r\n') throw new Error(`expected the closing boundary, got ${JSON.stringify(text)}`);
}

function readPart(text: string): Payload {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const headers = new Headers(
    head
      .trim()
      .split('\r\n')
      .map((line): [string, string] => {
        const [name = '', value = ''] = line.split(': ');
        return [name, value];
      }),
  );
  if (headers.get('content-type') !== 'application/json; charset=utf-8') throw new Error(`no JSON: ${head}`);
  if (Number(headers.get('content-length')) !== Buffer.byteLength(body))
    throw new Error(`wrong length: ${head}`);
  return payload.parse(JSON.parse(body));
}

/**
 * What the payloads are together. @throws when they are no answer by the format: nothing after `hasNext: false`, no
 * part twice, no part whose place is not there yet
 */
export function merge(payloads: readonly Payload[]): { data: unknown; errors: Part['errors'] } {
  const [first, ...rest] = payloads;
  if (!first) throw new Error('expected at least one payload');
  payloads.forEach(({ hasNext }, index) => {
    const isLast = index === payloads.length - 1;
    if (hasNext !== !isLast && payloads.length > 1)
      throw new Error(`payload ${index} says hasNext ${hasNext}`);
  });
  const seen = new Set<string>();
  const data = structuredClone(first.data);
  const found = [...(first.errors ?? [])];
  for (const next of rest) {
    if (next.data !== undefined) throw new Error('only the first payload has data of its own');
    for (const each of next.incremental ?? []) {
      const key = JSON.stringify([each.path, each.label, each.data && Object.keys(each.data)]);
      if (seen.has(key)) throw new Error(`part ${key} came twice`);
      seen.add(key);
      place(data, each);
      found.push(...(each.errors ?? []));
    }
  }
  return { data, errors: found };
}

function place(data: unknown, { path: where, items, data: fields }: Part): void {
  if (items !== undefined) {
    const index = where.at(-1);
    const list = at(data, where.slice(0, -1));
    if (!Array.isArray(list) || typeof index !== 'number' || index > list.length) {
      throw new Error(`items for a place that is not there: ${where.join('.')}`);
    }
    list.splice(index, 0, ...(items ?? []));
    return;
  }
  const target = at(data, where);
  if (typeof target !== 'object' || target === null) throw new Error(`no object at ${where.join('.')}`);
  deepAssign(target, fields ?? {});
}

function at(data: unknown, where: readonly (string | number)[]): unknown {
  return where.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    data,
  );
}

function deepAssign(target: object, source: object): void {
  for (const [key, value] of Object.entries(source) as [string, unknown][]) {
    const known: unknown = Reflect.get(target, key);
    if (typeof known === 'object' && known !== null && typeof value === 'object' && value !== null) {
      deepAssign(known, value);
    } else Reflect.set(target, key, value);
  }
}

export async function collect(payloads: AsyncIterable<Payload>): Promise<Payload[]> {
  const all: Payload[] = [];
  for await (const each of payloads) all.push(each);
  return all;
}

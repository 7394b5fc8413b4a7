import type { Random } from './random.ts';

/** What messages are made of. */
export interface Means {
  readonly token: string;
  readonly host: string;
  /** An operation as JSON that the server takes */
  readonly operation: string;
}

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'QUERY',
  'get',
  'G\u0000T',
  'PRI',
];
const PATHS = [
  '/graphql',
  '/graphql/',
  '/graphql?',
  '/graphql#x',
  '//graphql',
  '/graphql/stream',
  '/GRAPHQL',
  '/graphql%00',
  '/graphql?query=%7B__typename%7D',
  '/graphql?query=%7B__typename%7D&variables=%7B',
  '/graphql?query=%7B__typename%7D&variables=[]&extensions=1',
  '/graphql?query=mutation%7B__typename%7D',
  '/graphql?query=%',
  '/graphql?query=%ff%fe',
  '/graphql?query=%7B__typename%7D&query=%7Bx%7D&operationName=x',
  '/graphql?extensions=%7B%22persistedQuery%22%3A%7B%7D%7D',
  '/uploads/upl_01jabcdefghjkmnpqrstvwxyz0',
  '/uploads/upl_01jabcdefghjkmnpqrstvwxyz0?expires=1e99&signature=x&organization=%00',
  '/uploads/%2e%2e%2f%2e%2e',
  '/files/fil_01jabcdefghjkmnpqrstvwxyz0?expires=NaN&signature=%ff',
  '/files/..%2f..%2fetc',
  '/files/%',
  '/jobs/job_01jabcdefghjkmnpqrstvwxyz0',
  '/jobs/%00',
  '/healthz',
  '/readyz?x',
  '/metrics',
  '/webhooks/x',
  '/oauth/callback?state=%00',
  '/',
  '//',
  '///',
  '/\\',
  '/%',
  '*',
  'http://other.example/graphql',
  'http://[/graphql',
  'http://:0',
  '?',
  `/${'x'.repeat(9_000)}`,
];
const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/json; charset="',
  'application/json;;;',
  'application/graphql-response+json',
  'application/graphql',
  'text/plain',
  'text/event-stream',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'multipart/form-data; boundary=',
  'application/octet-stream',
  '*/*',
  'é',
  ';',
];
const ACCEPTS = [
  '*/*',
  'application/json',
  'text/html',
  'text/event-stream',
  'multipart/mixed',
  'multipart/mixed;deferSpec=20220824',
  'image/png',
  ',',
  'application/json;q=x',
];
const EXTRA = [
  'Content-Encoding: gzip',
  'Content-Encoding: br',
  'Content-Encoding: x',
  'Expect: 100-continue',
  'Expect: y',
  'X-Organization: org_01jabcdefghjkmnpqrstvwxyz0',
  'X-Organization: \u00ff',
  'X-Organization: a\r\nX-Organization: b',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x',
  'Upgrade: h2c\r\nConnection: Upgrade',
  'Range: bytes=-1',
  'If-None-Match: *',
  'Origin: null',
  'Origin: http://other.example',
  'Access-Control-Request-Method: POST',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: x',
  'Trailer: x',
  'Cookie: a=b; a=\u0001',
  'X-HTTP-Method-Override: DELETE',
  'X-Request-Id: \u00e9',
  ' Folded: x',
  'No colon',
  ': no name',
  `X-Long: ${'y'.repeat(15_000)}`,
  `X-Too-Long: ${'y'.repeat(20_000)}`,
];

function bodyOf(random: Random, { operation }: Means): Buffer {
  const texts = [
    operation,
    operation,
    operation,
    '',
    '{',
    'null',
    '0',
    '"x"',
    '[]',
    `[${operation},${operation}]`,
    '{"query":1}',
    '{"query":null}',
    '{"query":{"a":1}}',
    '{"query":"{ __typename }","variables":"x"}',
    '{"query":"{ __typename }","variables":[]}',
    '{"query":"{ __typename }","operationName":7}',
    '{"query":"{ __typename }","extensions":[1]}',
    '{"query":"{ __typename }","__proto__":{"x":1}}',
    '{"query":"{ __typename }","query":"{ x }"}',
    '{"query":"query A { __typename } query B { __typename }"}',
    '{"query":"{ __typename }","operationName":"constructor"}',
    '{"query":"\\u0000"}',
    '{"query":"\\ud800"}',
    '['.repeat(20_000),
    `{"query":"{ __typename }","variables":${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}}`,
    `{"query":"${'{a'.repeat(3_000)}"}`,
    `\ufeff${operation}`,
    'query=%7B__typename%7D',
    'query=%&variables=%',
    '--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"query":"{ __typename }"}\r\n--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{"0":["variables.__proto__.x"]}\r\n--x--\r\n',
    '--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n[',
    '--x',
  ];
  const share = random.next();
  if (share < 0.04) return random.bytes(1 + random.int(300));
  if (share < 0.08) return Buffer.from(operation, 'utf16le');
  if (share < 0.09) return Buffer.alloc(1_100_000, 'z');
  return Buffer.from(random.pick(texts));
}

function chunked(body: Buffer, random: Random): Buffer {
  const size = random.pick([
    body.length.toString(16),
    'zz',
    '-1',
    'ffffffffffffffff',
    '0',
    `${body.length.toString(16)};x="`,
  ]);
  return Buffer.concat([
    Buffer.from(`${size}\r\n`),
    body,
    Buffer.from(random.pick(['\r\n0\r\n\r\n', '0\r\n\r\n', '\r\n', '\r\n0\r\nX: y\r\n\r\n'])),
  ]);
}

function lengthOf(body: Buffer, random: Random): string {
  return random.chance(0.7)
    ? String(body.length)
    : random.pick([
        String(body.length + 10),
        String(Math.max(0, body.length - 5)),
        '-1',
        '1e3',
        '0x10',
        '99999999999999999999',
        '',
        '0\r\nContent-Length: 5',
        `${body.length}, ${body.length}`,
      ]);
}

function spoil(message: Buffer, random: Random): Buffer {
  const at = random.int(message.length);
  switch (random.int(4)) {
    case 0:
      return message.subarray(0, at);
    case 1:
      return Buffer.concat([message.subarray(0, at), random.bytes(1 + random.int(8)), message.subarray(at)]);
    case 2:
      return Buffer.concat([message.subarray(0, at), message.subarray(Math.min(message.length, at + 3))]);
    default:
      return Buffer.concat([message, message]);
  }
}

/** The bytes of one request, of the right form in most but not in all. */
export function makeHttpMessage(random: Random, means: Means): Buffer {
  const body = bodyOf(random, means);
  const isChunked = random.chance(0.15);
  const authorization = random.pick([
    'Bearer',
    'Bearer  ',
    'Basic x',
    `bearer ${means.token}`,
    `Bearer ${means.token}\u00ff`,
    'Bearer \u0001',
    `Bearer ${'t'.repeat(5_000)}`,
  ]);
  const method = random.chance(0.65) ? 'POST' : random.pick(METHODS);
  const lines = [
    `${method} ${random.chance(0.65) ? '/graphql' : random.pick(PATHS)} HTTP/${random.chance(0.97) ? '1.1' : random.pick(['1.0', '2.0', '9', ''])}`,
    ...(random.chance(0.97)
      ? [`Host: ${means.host}`]
      : random.pick([[], ['Host: a', 'Host: b'], ['Host: %/\\']])),
    'Connection: close',
    ...(random.chance(0.85)
      ? [`Authorization: ${random.chance(0.9) ? `Bearer ${means.token}` : authorization}`]
      : []),
    ...(random.chance(0.95)
      ? [`Content-Type: ${random.chance(0.6) ? 'application/json' : random.pick(TYPES)}`]
      : []),
    ...(random.chance(0.6) ? [`Accept: ${random.pick(ACCEPTS)}`] : []),
    ...(random.chance(0.3) ? random.some(EXTRA, 2) : []),
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${lengthOf(body, random)}`,
    ...(isChunked && random.chance(0.1) ? ['Content-Length: 3'] : []),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const message = Buffer.concat([head, isChunked ? chunked(body, random) : body]);
  return random.chance(0.15) ? spoil(message, random) : message;
}

import type { IncomingMessage, RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { UnsafeUrlError } from '../../src/lib/outbound-url.ts';
import { safeFetch, type Resolver, type SafeRequest } from '../../src/lib/safe-fetch.ts';
import { closeForeignServers, endlessly, listen, listenRaw } from '../support/foreign-server.ts';
import { waitFor } from '../support/wait.ts';

const STRICT = { allowPrivateAddresses: false, requireHttps: false };
const LOCAL = { allowPrivateAddresses: true, requireHttps: false };

afterEach(closeForeignServers);

function get(url: string, more: Partial<SafeRequest> = {}): SafeRequest {
  return { url, method: 'GET', timeoutMs: 5_000, bodyBytesMax: 1_000, ...more };
}

/** Answers each look-up with the next addresses, and the last for ever. */
function resolverOf(...answers: readonly (readonly string[])[]): Resolver & { readonly asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolver = (name, _options, done) => {
    const found = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(name);
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.assign(resolve, { asked });
}

describe('a name', () => {
  test.each([
    ['loopback', '127.0.0.1'],
    ['a private network', '10.0.0.1'],
    ['metadata', '169.254.169.254'],
    ['IPv6 loopback', '::1'],
    ['a link with a zone', 'fe80::1%lo'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['NAT64 of loopback', '64:ff9b::7f00:1'],
    ['an odd spelling', '0x7f.1'],
    ['no address at all', 'localhost'],
  ])('that resolves to %s is refused, and nothing is connected to', async (_what, address) => {
    let connected = 0;
    const port = await listen((_req, res) => res.end(String((connected += 1))));
    const refused = safeFetch(get(`http://hooks.example.com:${port}/`), STRICT, resolverOf([address]));
    await expect(refused).rejects.toThrow(UnsafeUrlError);
    expect(connected).toBe(0);
  });

  test('that resolves to nothing is refused', async () => {
    const refused = safeFetch(get('http://hooks.example.com/'), STRICT, resolverOf([]));
    await expect(refused).rejects.toThrow(UnsafeUrlError);
  });

  test('is looked up once for a request: the address that was checked is the one that is connected to', async () => {
    const port = await listen((req, res) => res.end(req.socket.localAddress));
    // 127.0.0.2 is another address of this machine: had there been a second look-up, the answer would come from there.
    const rebinding = resolverOf(['127.0.0.1'], ['127.0.0.2']);
    const answer = await safeFetch(get(`http://hooks.example.com:${port}/`), LOCAL, rebinding);
    expect(answer.body.toString()).toBe('127.0.0.1');
    expect(rebinding.asked).toEqual(['hooks.example.com']);
  });

  test('that resolves to another address at the next request is checked again then', async () => {
    let connected = 0;
    const port = await listen((_req, res) => res.end(String((connected += 1))));
    // Global unicast that nobody has yet: what counts is that it was let through.
    const rebinding = resolverOf(['2d00::1'], ['127.0.0.1']);
    const request = get(`http://hooks.example.com:${port}/`, { timeoutMs: 200 });
    await expect(safeFetch(request, STRICT, rebinding)).rejects.not.toThrow(UnsafeUrlError);
    await expect(safeFetch(request, STRICT, rebinding)).rejects.toMatchObject({ reason: 'loopback' });
    expect(rebinding.asked).toHaveLength(2);
    expect(connected).toBe(0);
  });

  test('of a public and a private address is called at the public one only', async () => {
    let connected = 0;
    const port = await listen((_req, res) => res.end(String((connected += 1))));
    const both = resolverOf(['2d00::1', '127.0.0.1']);
    const request = get(`http://hooks.example.com:${port}/`, { timeoutMs: 1_000 });
    await expect(safeFetch(request, STRICT, both)).rejects.not.toThrow(UnsafeUrlError);
    expect(connected).toBe(0);
  });

  test('that is never resolved ends in time', async () => {
    const late = safeFetch(get('http://hooks.example.com/', { timeoutMs: 50 }), STRICT, () => undefined);
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('a redirect', () => {
  const redirecting = (location: string, status = 302): Promise<number> =>
    listen((_req, res) => res.writeHead(status, { location }).end('moved'));

  test('is an answer like any other, unless it is asked to be followed', async () => {
    const port = await redirecting('http://169.254.169.254/');
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/`), LOCAL);
    expect(answer).toMatchObject({ status: 302, headers: { location: 'http://169.254.169.254/' } });
  });

  test.each([301, 302, 303, 307, 308])('with status %i is followed to where it leads', async (status) => {
    const target = await listen((req, res) => res.end(`${req.method} ${req.url}`));
    const port = await redirecting(`http://127.0.0.1:${target}/there?x`, status);
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/`, { redirectsMax: 1 }), LOCAL);
    expect(answer).toMatchObject({ status: 200, url: `http://127.0.0.1:${target}/there?x` });
    expect(answer.body.toString()).toBe('GET /there?x');
  });

  test('to a relative address stays at its origin', async () => {
    const port = await listen((req, res) => {
      if (req.url === '/a/b?q') res.writeHead(302, { location: '../c' }).end();
      else res.end(req.url);
    });
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/a/b?q`, { redirectsMax: 3 }), LOCAL);
    expect(answer.body.toString()).toBe('/c');
  });

  test.each([
    ['http://169.254.169.254/latest/meta-data', 'metadata'],
    ['http://2130706433/', 'loopback'],
    ['//[::1]/', 'loopback'],
    ['http://localhost/', 'local_name'],
    ['http://user:pass@example.com/', 'credentials'],
    ['file:///etc/passwd', 'protocol'],
    ['http://[', 'not_absolute'],
  ])('to %s is refused as the address itself would be', async (location, reason) => {
    const port = await redirecting(location);
    // The redirecting server has a public name; only the test's own policy lets it be this machine.
    const request = get(`http://hooks.example.com:${port}/`, { redirectsMax: 5 });
    const policy = {
      requireHttps: false,
      get allowPrivateAddresses() {
        return !connected;
      },
    };
    let connected = false;
    const toThisMachine: Resolver = (_name, _options, done) => {
      done(null, [{ address: '127.0.0.1', family: 4 }]);
      connected = true;
    };
    await expect(safeFetch(request, policy, toThisMachine)).rejects.toMatchObject({ reason });
  });

  test('to a name is resolved and checked again', async () => {
    let reached = 0;
    const target = await listen((_req, res) => res.end(String((reached += 1))));
    const port = await redirecting(`http://inner.example.com:${target}/`);
    let isFirst = true;
    const policy = {
      requireHttps: false,
      get allowPrivateAddresses() {
        return isFirst;
      },
    };
    const asked: string[] = [];
    const toThisMachine: Resolver = (name, _options, done) => {
      asked.push(name);
      done(null, [{ address: '127.0.0.1', family: 4 }]);
      isFirst = false;
    };
    const request = get(`http://outer.example.com:${port}/`, { redirectsMax: 5 });
    await expect(safeFetch(request, policy, toThisMachine)).rejects.toMatchObject({ reason: 'loopback' });
    expect(asked).toEqual(['outer.example.com', 'inner.example.com']);
    expect(reached).toBe(0);
  });

  test('is followed as often as was said, and no more', async () => {
    let asked = 0;
    const port = await listen((_req, res) => {
      asked += 1;
      res.writeHead(302, { location: '/again' }).end();
    });
    const circle = safeFetch(get(`http://127.0.0.1:${port}/`, { redirectsMax: 3 }), LOCAL);
    await expect(circle).rejects.toMatchObject({ name: 'TooManyRedirectsError' });
    expect(asked).toBe(4);
  });

  test('has no time of its own: one limit is over all of them', async () => {
    const port = await listen((_req, res) => {
      setTimeout(() => res.writeHead(302, { location: '/again' }).end(), 30);
    });
    const request = get(`http://127.0.0.1:${port}/`, { redirectsMax: 1_000, timeoutMs: 200 });
    await expect(safeFetch(request, LOCAL)).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test.each([
    ['the same origin gets the headers that were given', true],
    ['another origin gets none that could be meant for the first', false],
  ])('to %s', async (_what, isSame) => {
    const tell = (req: IncomingMessage): string => JSON.stringify(req.headers);
    const target = await listen((req, res) => res.end(tell(req)));
    const port: number = await listen((req, res) => {
      const location = isSame ? '/there' : `http://127.0.0.1:${target}/there`;
      if (req.url === '/there') res.end(tell(req));
      else res.writeHead(307, { location }).end();
    });
    const headers = {
      Authorization: 'Bearer secret',
      Cookie: 'session=secret',
      'X-Api-Key': 'secret',
      'User-Agent': 'Millrace',
      Accept: 'text/csv',
    };
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/`, { headers, redirectsMax: 1 }), LOCAL);
    const got: unknown = JSON.parse(answer.body.toString());
    expect(got).toMatchObject({ 'user-agent': 'Millrace', accept: 'text/csv' });
    if (isSame) expect(got).toMatchObject({ authorization: 'Bearer secret', 'x-api-key': 'secret' });
    else expect(answer.body.toString()).not.toContain('secret');
  });

  test('is never followed with a body, which is for the place it was sent to', async () => {
    let reached = 0;
    const target = await listen((_req, res) => res.end(String((reached += 1))));
    const port = await redirecting(`http://127.0.0.1:${target}/`, 307);
    const request = get(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x', redirectsMax: 5 });
    expect((await safeFetch(request, LOCAL)).status).toBe(307);
    expect(reached).toBe(0);
  });
});

describe('an answer', () => {
  test.each<[string, RequestListener]>([
    ['never comes', () => undefined],
    ['never ends', (_req, res) => void res.write('a')],
    ['drips', (_req, res) => void setInterval(() => res.write('a'), 10).unref()],
    ['never gets beyond hints', (_req, res) => void setInterval(() => res.writeProcessing(), 5).unref()],
  ])('that %s ends in time', async (_what, handler) => {
    const port = await listen(handler);
    const late = safeFetch(get(`http://127.0.0.1:${port}/`, { timeoutMs: 100 }), LOCAL);
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('without an end is read as far as was said, and its connection closed', async () => {
    let isClosed = false;
    const port = await listen((_req, res) => {
      res.on('close', () => (isClosed = true));
      endlessly(res, Buffer.alloc(10_000, 'x'));
    });
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/`), LOCAL);
    expect(answer).toMatchObject({ truncated: true, body: Buffer.alloc(1_000, 'x') });
    await waitFor(() => isClosed);
  });

  test('of exactly as many bytes as may come is whole', async () => {
    const port = await listen((_req, res) => res.end('x'.repeat(1_000)));
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/`), LOCAL);
    expect(answer).toMatchObject({ truncated: false });
    expect(answer.body.byteLength).toBe(1_000);
  });

  test.each([
    ['whose headers never end', `HTTP/1.1 200 OK\r\n${'X-A: b\r\n'.repeat(10_000)}`],
    ['that ends before its announced length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'],
    ['with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'with a length and in chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['of another protocol', '220 mail.example.com ESMTP\r\n'],
    [
      'that switches the protocol',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ],
  ])('%s is an error', async (_what, bytes) => {
    const port = await listenRaw((socket) => socket.end(bytes));
    await expect(safeFetch(get(`http://127.0.0.1:${port}/`), LOCAL)).rejects.toThrow();
  });

  test('ends with its caller’s reason', async () => {
    let arrived = false;
    const port = await listen(() => (arrived = true));
    const caller = new AbortController();
    const running = safeFetch(get(`http://127.0.0.1:${port}/`, { signal: caller.signal }), LOCAL);
    await waitFor(() => arrived);
    caller.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
  });
});

describe('a request', () => {
  test('carries method, headers and body as they are', async () => {
    const port = await listen((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => res.end(`${req.method ?? ''} ${String(req.headers['x-a'])} ${body}`));
    });
    const answer = await safeFetch(
      get(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'X-A': 'b' }, body: 'grüße' }),
      LOCAL,
    );
    expect(answer.body.toString()).toBe('POST b grüße');
  });

  test.each([
    ['a line end in a value', { 'x-a': 'b\r\nx-injected: yes' }],
    ['a lone line feed in a value', { 'x-a': 'b\nx-injected: yes' }],
    ['NUL in a value', { 'x-a': 'b\0' }],
    ['a line end in a name', { 'x-a: b\r\nx-injected': 'yes' }],
    ['a name for another host', { Host: 'inner.example.com' }],
    ['a length of its own', { 'Content-Length': '0' }],
    ['a way to frame it', { 'Transfer-Encoding': 'chunked' }],
    ['a wish to switch the protocol', { Upgrade: 'h2c' }],
    ['a message to a proxy', { 'Proxy-Authorization': 'Basic eA==' }],
  ])('with %s is not sent', async (_what, headers) => {
    let reached = 0;
    const port = await listen((_req, res) => res.end(String((reached += 1))));
    const request = get(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: 'x' });
    await expect(safeFetch(request, LOCAL)).rejects.toThrow(TypeError);
    expect(reached).toBe(0);
  });

  test('to a name asks the server for that name, whatever it resolves to', async () => {
    const port = await listen((req, res) => res.end(req.headers.host));
    const answer = await safeFetch(
      get(`http://hooks.example.com:${port}/`),
      LOCAL,
      resolverOf(['127.0.0.1']),
    );
    expect(answer.body.toString()).toBe(`hooks.example.com:${port}`);
  });
});

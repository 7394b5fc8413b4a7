import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { isPublicAddress } from '../../src/lib/public-address.ts';
import {
  checkOutboundUrl,
  safeFetch,
  UnsafeUrlError,
  type Resolver,
  type SafeRequest,
} from '../../src/lib/safe-fetch.ts';

const STRICT = { allowPrivateAddresses: false, requireHttps: false };
const LOCAL = { allowPrivateAddresses: true, requireHttps: false };

describe('an address is refused', () => {
  test.each([
    ['loopback', 'http://127.0.0.1/'],
    ['loopback elsewhere in 127/8', 'http://127.8.8.8/'],
    ['loopback as one number', 'http://2130706433/'],
    ['loopback in hex', 'http://0x7f000001/'],
    ['loopback in mixed bases', 'http://0x7f.1/'],
    ['loopback in octal', 'http://0177.0.0.1/'],
    ['loopback in short', 'http://127.1/'],
    ['loopback in full-width digits', 'http://１２７.０.０.１/'],
    ['loopback behind percent signs', 'http://%31%32%37.0.0.1/'],
    ['loopback with a dot at the end', 'http://127.0.0.1./'],
    ['IPv6 loopback', 'http://[::1]/'],
    ['IPv6 loopback in full', 'http://[0:0:0:0:0:0:0:1]/'],
    ['unspecified', 'http://0.0.0.0/'],
    ['unspecified as zero', 'http://0/'],
    ['IPv6 unspecified', 'http://[::]/'],
    ['private 10/8', 'http://10.1.2.3/'],
    ['private 172.16/12', 'http://172.31.255.255/'],
    ['private 192.168/16', 'http://192.168.0.1:8080/x'],
    ['CGNAT', 'http://100.64.0.1/'],
    ['CGNAT, where a cloud keeps its metadata', 'http://100.100.100.200/'],
    ['link-local metadata', 'http://169.254.169.254/latest/meta-data'],
    ['metadata of another cloud', 'http://192.0.0.192/'],
    ['metadata at a public address', 'http://168.63.129.16/'],
    ['benchmarking', 'http://198.19.0.1/'],
    ['documentation', 'http://203.0.113.9/'],
    ['multicast', 'http://239.1.1.1/'],
    ['reserved', 'http://240.0.0.1/'],
    ['broadcast', 'http://255.255.255.255/'],
    ['mapped loopback', 'http://[::ffff:127.0.0.1]/'],
    ['mapped loopback in hex', 'http://[::ffff:7f00:1]/'],
    ['compatible loopback', 'http://[::127.0.0.1]/'],
    ['translated private', 'http://[64:ff9b::10.0.0.1]/'],
    ['locally translated', 'http://[64:ff9b:1::a00:1]/'],
    ['6to4 of a private address', 'http://[2002:a00:1::]/'],
    ['Teredo', 'http://[2001:0:53aa:64c:0:0:0:1]/'],
    ['unique local', 'http://[fd00:ec2::254]/'],
    ['IPv6 link-local', 'http://[fe80::1]/'],
    ['IPv6 site-local', 'http://[fec0::1]/'],
    ['IPv6 multicast', 'http://[ff02::1]/'],
    ['IPv6 documentation', 'http://[2001:db8::1]/'],
    ['the name of this machine', 'http://localhost:3000/'],
    ['a name under localhost', 'http://api.localhost/'],
    ['the name of a cloud’s metadata', 'http://metadata.google.internal/'],
    ['a name of the local network', 'http://printer.local./'],
    ['another protocol', 'ftp://example.com/'],
    ['a file', 'file:///etc/passwd'],
    ['a script', 'javascript:alert(1)'],
    ['credentials', 'http://user:pass@example.com/'],
    ['a user name', 'http://user@example.com/'],
    ['no address', 'example.com'],
    ['nothing', ''],
    ['an endless one', `http://example.com/${'x'.repeat(2_000)}`],
  ])('%s', (_what, url) => {
    expect(() => checkOutboundUrl(url, STRICT)).toThrow(UnsafeUrlError);
  });

  test('that is not https, where https is required', () => {
    const policy = { ...STRICT, requireHttps: true };
    expect(() => checkOutboundUrl('http://example.com/', policy)).toThrow(/https/);
    expect(checkOutboundUrl('https://example.com/hook', policy).href).toBe('https://example.com/hook');
  });
});

test.each(['http://example.com/', 'https://8.8.8.8:8443/x?y', 'https://[2606:4700:4700::1111]/'])(
  'the public address %s is taken',
  (url) => {
    expect(checkOutboundUrl(url, STRICT).href).toBe(url);
  },
);

test('a link’s zone makes an address private, whatever stands before it', () => {
  expect(isPublicAddress('2606:4700:4700::1111%eth0')).toBe(false);
});

describe('a request', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });
  const listen = async (handler: RequestListener): Promise<number> => {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const get = (url: string, more: Partial<SafeRequest> = {}): SafeRequest => ({
    url,
    method: 'GET',
    timeoutMs: 5_000,
    bodyBytesMax: 1_000,
    ...more,
  });

  test('whose name resolves to a private address is refused when it connects', async () => {
    let asked = 0;
    const port = await listen((_req, res) => res.end(String((asked += 1))));
    const names: string[] = [];
    const toLoopback: Resolver = (name, _options, done) => {
      names.push(name);
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const request = get(`http://hooks.example.com:${port}/`);
    await expect(safeFetch(request, STRICT, toLoopback)).rejects.toThrow(UnsafeUrlError);
    expect((await safeFetch(request, LOCAL, toLoopback)).status).toBe(200);
    expect(names).toEqual(['hooks.example.com', 'hooks.example.com']);
    expect(asked).toBe(1);
  });

  test('takes a redirect as the answer and does not follow it', async () => {
    const port = await listen((_req, res) =>
      res.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    );
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/`), LOCAL);
    expect(answer).toMatchObject({ status: 302, headers: { location: 'http://169.254.169.254/' } });
  });

  test('reads no more of an endless answer than it was told', async () => {
    const port = await listen((_req, res) => {
      const more = (): void => {
        while (!res.destroyed && res.write('x'.repeat(10_000)));
      };
      res.on('drain', more);
      more();
    });
    const answer = await safeFetch(get(`http://127.0.0.1:${port}/`), LOCAL);
    expect(answer.truncated).toBe(true);
    expect(answer.body.byteLength).toBe(1_000);
  });

  test.each([
    ['never answers', () => undefined],
    ['never ends', (_req, res) => void res.write('a')],
  ] satisfies [string, RequestListener][])('to a server that %s ends in time', async (_what, handler) => {
    const port = await listen(handler);
    const late = safeFetch(get(`http://127.0.0.1:${port}/`, { timeoutMs: 100 }), LOCAL);
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('ends with its caller’s reason', async () => {
    const port = await listen(() => undefined);
    const caller = new AbortController();
    const running = safeFetch(get(`http://127.0.0.1:${port}/`, { signal: caller.signal }), LOCAL);
    caller.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
  });

  test('carries method, headers and body as they are', async () => {
    const port = await listen((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => res.end(`${req.method ?? ''} ${String(req.headers['x-a'])} ${body}`));
    });
    const answer = await safeFetch(
      get(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'x-a': 'b' }, body: 'grüße' }),
      LOCAL,
    );
    expect(answer.body.toString()).toBe('POST b grüße');
  });
});

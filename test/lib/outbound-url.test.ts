import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkOutboundUrl, UnsafeUrlError, type UnsafeReason } from '../../src/lib/outbound-url.ts';

const STRICT = { allowPrivateAddresses: false, requireHttps: false };

function reasonFor(url: string, policy = STRICT): UnsafeReason | null {
  try {
    checkOutboundUrl(url, policy);
    return null;
  } catch (error) {
    if (error instanceof UnsafeUrlError) return error.reason;
    throw error;
  }
}

describe('an address that somebody gave us is refused:', () => {
  test.each<[what: string, url: string, reason: UnsafeReason]>([
    // Loopback, and all the ways to write it
    ['loopback', 'http://127.0.0.1/', 'loopback'],
    ['loopback with a port', 'https://127.0.0.1:8443/x', 'loopback'],
    ['loopback elsewhere in 127/8', 'http://127.8.8.8/', 'loopback'],
    ['loopback as one number', 'http://2130706433/', 'loopback'],
    ['loopback as one hexadecimal number', 'http://0x7f000001/', 'loopback'],
    ['loopback as one octal number', 'http://017700000001/', 'loopback'],
    ['loopback in hexadecimal parts', 'http://0x7f.0x0.0x0.0x1/', 'loopback'],
    ['loopback in upper case hexadecimal', 'http://0X7F.0.0.1/', 'loopback'],
    ['loopback in mixed bases', 'http://0x7f.0.1/', 'loopback'],
    ['loopback in octal', 'http://0177.0.0.01/', 'loopback'],
    ['loopback with many leading zeros', 'http://00000177.0.0.1/', 'loopback'],
    ['loopback in two parts', 'http://127.1/', 'loopback'],
    ['loopback in three parts', 'http://127.0.1/', 'loopback'],
    ['loopback with a dot at the end', 'http://127.0.0.1./', 'loopback'],
    ['loopback in full-width digits', 'http://１２７.０.０.１/', 'loopback'],
    ['loopback in circled digits', 'http://①②⑦.⓪.⓪.①/', 'loopback'],
    ['loopback with ideographic full stops', 'http://127。0。0。1/', 'loopback'],
    ['loopback behind percent signs', 'http://%31%32%37.0.0.1/', 'loopback'],
    ['loopback with a percent-encoded dot', 'http://127%2e0.0.1/', 'loopback'],
    ['loopback with a soft hyphen', 'http://127.0.0\u00ad.1/', 'loopback'],
    ['loopback behind an empty user', 'http://@127.0.0.1/', 'loopback'],
    ['loopback before a backslash and another host', 'http://127.0.0.1\\@example.com/', 'loopback'],
    ['loopback before a fragment and another host', 'http://127.0.0.1#@example.com/', 'loopback'],
    ['loopback before a query and another host', 'http://127.0.0.1?@example.com/', 'loopback'],
    ['loopback behind backslashes', 'http:\\\\127.0.0.1\\', 'loopback'],
    ['loopback behind one slash', 'http:/127.0.0.1/', 'loopback'],
    ['loopback behind no slash', 'http:127.0.0.1', 'loopback'],
    ['loopback behind many slashes', 'http://///127.0.0.1/', 'loopback'],
    ['loopback with the scheme in upper case', 'HTTP://127.0.0.1/', 'loopback'],
    ['loopback with blanks around it', '  http://127.0.0.1/  ', 'loopback'],
    ['IPv6 loopback', 'http://[::1]/', 'loopback'],
    ['IPv6 loopback in full', 'http://[0000:0000:0000:0000:0000:0000:0000:0001]/', 'loopback'],
    ['IPv6 loopback with a dotted end', 'http://[::0.0.0.1]/', 'loopback'],
    // This host and its networks
    ['unspecified', 'http://0.0.0.0/', 'unspecified'],
    ['unspecified as zero', 'http://0/', 'unspecified'],
    ['elsewhere in 0/8', 'http://0.1.2.3/', 'unspecified'],
    ['IPv6 unspecified', 'http://[::]/', 'unspecified'],
    ['private 10/8', 'http://10.1.2.3/', 'private'],
    ['private 10/8 as one number', 'http://167772161/', 'private'],
    ['private 172.16/12, first', 'http://172.16.0.0/', 'private'],
    ['private 172.16/12, last', 'http://172.31.255.255/', 'private'],
    ['private 192.168/16', 'http://192.168.0.1:8080/x', 'private'],
    ['private 192.168/16 in hexadecimal', 'http://0xc0a80001/', 'private'],
    ['unique local', 'http://[fd12:3456:789a::1]/', 'private'],
    ['unique local in upper case', 'http://[FC00::1]/', 'private'],
    ['carrier-grade NAT, first', 'http://100.64.0.0/', 'shared'],
    ['carrier-grade NAT, last', 'http://100.127.255.255/', 'shared'],
    ['link-local', 'http://169.254.1.1/', 'link_local'],
    ['IPv6 link-local', 'http://[fe80::1]/', 'link_local'],
    ['IPv6 site-local', 'http://[fec0::1]/', 'link_local'],
    ['IPv6 link-local with a zone', 'http://[fe80::1%25eth0]/', 'not_absolute'],
    ['IPv6 link-local with a bare zone', 'http://[fe80::1%eth0]/', 'not_absolute'],
    // Where clouds keep credentials
    ['metadata', 'http://169.254.169.254/latest/meta-data', 'metadata'],
    ['metadata as one number', 'http://2852039166/', 'metadata'],
    ['metadata in octal', 'http://0251.0376.0251.0376/', 'metadata'],
    ['metadata of AWS over IPv6', 'http://[fd00:ec2::254]/', 'metadata'],
    ['metadata of Google over IPv6', 'http://[fd20:ce::254]/', 'metadata'],
    ['metadata of Alibaba', 'http://100.100.100.200/', 'metadata'],
    ['metadata of Oracle', 'http://192.0.0.192/', 'metadata'],
    ['metadata of Azure, at a public address', 'http://168.63.129.16/', 'metadata'],
    // IPv4 within IPv6
    ['mapped loopback', 'http://[::ffff:127.0.0.1]/', 'embedded_ipv4'],
    ['mapped loopback in hexadecimal', 'http://[::ffff:7f00:1]/', 'embedded_ipv4'],
    ['mapped loopback in full and upper case', 'http://[0:0:0:0:0:FFFF:7F00:0001]/', 'embedded_ipv4'],
    ['mapped metadata', 'http://[::ffff:169.254.169.254]/', 'embedded_ipv4'],
    ['mapped public', 'http://[::ffff:8.8.8.8]/', 'embedded_ipv4'],
    ['compatible loopback', 'http://[::127.0.0.1]/', 'embedded_ipv4'],
    ['translated on one host (SIIT)', 'http://[::ffff:0:127.0.0.1]/', 'embedded_ipv4'],
    ['NAT64 of loopback', 'http://[64:ff9b::127.0.0.1]/', 'loopback'],
    ['NAT64 of a private address', 'http://[64:ff9b::10.0.0.1]/', 'private'],
    ['NAT64 of metadata', 'http://[64:ff9b::a9fe:a9fe]/', 'metadata'],
    ['NAT64 of this network', 'http://[64:ff9b:1::a00:1]/', 'embedded_ipv4'],
    ['6to4 of a private address', 'http://[2002:a00:1::]/', 'embedded_ipv4'],
    ['6to4 of a public address', 'http://[2002:808:808::1]/', 'embedded_ipv4'],
    ['Teredo', 'http://[2001:0:53aa:64c:0:0:0:1]/', 'embedded_ipv4'],
    ['ISATAP in a public network', 'http://[2001:470:1f0b::5efe:10.0.0.1]/', 'embedded_ipv4'],
    ['ISATAP, universal', 'http://[2001:470:1f0b:0:200:5efe:a00:1]/', 'embedded_ipv4'],
    // Nobody's
    ['documentation 192.0.2/24', 'http://192.0.2.1/', 'documentation'],
    ['documentation 198.51.100/24', 'http://198.51.100.1/', 'documentation'],
    ['documentation 203.0.113/24', 'http://203.0.113.9/', 'documentation'],
    ['IPv6 documentation', 'http://[2001:db8::1]/', 'documentation'],
    ['IPv6 documentation, the new one', 'http://[3fff::1]/', 'documentation'],
    ['benchmarking', 'http://198.19.0.1/', 'benchmarking'],
    ['IPv6 benchmarking', 'http://[2001:2::1]/', 'benchmarking'],
    ['multicast, first', 'http://224.0.0.1/', 'multicast'],
    ['multicast, last', 'http://239.255.255.255/', 'multicast'],
    ['IPv6 multicast', 'http://[ff02::1]/', 'multicast'],
    ['broadcast', 'http://255.255.255.255/', 'broadcast'],
    ['broadcast as one number', 'http://4294967295/', 'broadcast'],
    ['class E', 'http://240.0.0.1/', 'reserved'],
    ['protocol assignments', 'http://192.0.0.8/', 'reserved'],
    ['the relay of 6to4', 'http://192.88.99.1/', 'reserved'],
    ['IPv6 protocol assignments', 'http://[2001:20::1]/', 'reserved'],
    ['IPv6 discard', 'http://[100::1]/', 'reserved'],
    ['IPv6 segment routing', 'http://[5f00::1]/', 'reserved'],
    ['IPv6 that nobody has', 'http://[4000::1]/', 'reserved'],
    // Names
    ['this machine', 'http://localhost:3000/', 'local_name'],
    ['this machine in upper case', 'http://LOCALHOST/', 'local_name'],
    ['this machine in full-width letters', 'http://ｌｏｃａｌｈｏｓｔ/', 'local_name'],
    ['this machine with a dot at the end', 'http://localhost./', 'local_name'],
    ['this machine behind percent signs', 'http://%6cocalhost/', 'local_name'],
    ['a name under localhost', 'http://api.localhost/', 'local_name'],
    ['this machine in another file of hosts', 'http://localhost.localdomain/', 'local_name'],
    ['a neighbour in a network of containers', 'http://redis:6379/', 'local_name'],
    ['a service of a cluster', 'http://api.default.svc.cluster.local/', 'local_name'],
    ['a cloud’s metadata by name', 'http://metadata.google.internal/', 'local_name'],
    ['a printer', 'http://printer.local./', 'local_name'],
    ['a home', 'http://router.home.arpa/', 'local_name'],
    // Other than web addresses
    ['ftp', 'ftp://example.com/', 'protocol'],
    ['a file', 'file:///etc/passwd', 'protocol'],
    ['gopher', 'gopher://example.com:70/_x', 'protocol'],
    ['a script', 'javascript:alert(1)', 'protocol'],
    ['data', 'data:text/plain,x', 'protocol'],
    ['a socket in the file system', 'unix:///var/run/docker.sock', 'protocol'],
    ['WebSocket', 'ws://example.com/', 'protocol'],
    ['blob', 'blob:http://example.com/x', 'protocol'],
    ['name and password', 'http://user:pass@example.com/', 'credentials'],
    ['a name', 'http://user@example.com/', 'credentials'],
    ['a password alone', 'http://:pass@example.com/', 'credentials'],
    ['a trusted host as a name', 'http://example.com@127.0.0.1/', 'credentials'],
    [
      'a trusted host as a name and its port as a password',
      'http://example.com:80@127.0.0.1/',
      'credentials',
    ],
    ['two at signs', 'http://a@b@example.com/', 'credentials'],
    ['the port of mail', 'http://example.com:25/', 'port'],
    ['the port of ssh', 'https://example.com:22/', 'port'],
    ['port zero', 'http://example.com:0/', 'port'],
    ['a port beyond all', 'http://example.com:65536/', 'not_absolute'],
    ['no scheme', 'example.com', 'not_absolute'],
    ['no scheme but slashes', '//example.com/', 'not_absolute'],
    ['a path', '/etc/passwd', 'not_absolute'],
    ['nothing', '', 'not_absolute'],
    ['no host', 'http://', 'not_absolute'],
    ['IPv4 beyond its numbers', 'http://256.0.0.1/', 'not_absolute'],
    ['IPv4 of five parts', 'http://127.0.0.0.1/', 'not_absolute'],
    ['a percent-encoded slash in the host', 'http://example.com%2f@127.0.0.1%2f/', 'not_absolute'],
    ['a percent-encoded NUL in the host', 'http://127.0.0.1%00.example.com/', 'not_absolute'],
    ['a blank in the host', 'http://exa mple.com/', 'not_absolute'],
    ['a header behind CR LF', 'http://example.com/\r\nX-Injected: yes', 'control_character'],
    ['a tab in the host', 'http://127.0\t.0.1/', 'control_character'],
    ['a line end in the host', 'http://exam\nple.com/', 'control_character'],
    ['NUL', 'http://example.com/\0', 'control_character'],
    ['an endless one', `http://example.com/${'x'.repeat(2_000)}`, 'too_long'],
  ])('%s', (_what, url, reason) => {
    expect(reasonFor(url)).toBe(reason);
  });

  test('with words for a person, which do not say what is behind a name', () => {
    for (const url of ['http://127.0.0.1/', 'http://169.254.169.254/', 'http://db.internal/'])
      expect(() => checkOutboundUrl(url, STRICT)).toThrow(
        'Expected the address of a public host; this one is private or reserved.',
      );
  });

  test('without https, where https is required', () => {
    const policy = { ...STRICT, requireHttps: true };
    expect(reasonFor('http://example.com/', policy)).toBe('protocol');
    expect(reasonFor('https://10.0.0.1/', policy)).toBe('private');
    expect(reasonFor('https://example.com/', policy)).toBeNull();
  });

  test('an IPv4 address that is none of the internet’s, in each way that IPv6 carries one', () => {
    const notPublic = ['10.0.0.0', '100.64.0.0', '127.0.0.0', '169.254.0.0', '192.168.0.0'];
    const anAddress = fc
      .tuple(fc.constantFrom(...notPublic), fc.nat(255), fc.nat(255))
      .map(([network, third, fourth]) => [...network.split('.').slice(0, 2), third, fourth].join('.'));
    const aPrefix = fc.constantFrom(
      '::',
      '::ffff:',
      '::ffff:0:',
      '64:ff9b::',
      '64:ff9b:1::',
      '2001:470::5efe:',
    );
    fc.assert(
      fc.property(anAddress, aPrefix, (address, prefix) => {
        expect(reasonFor(`http://${address}/`)).not.toBeNull();
        expect(reasonFor(`http://[${prefix}${address}]/`)).not.toBeNull();
      }),
    );
  });
});

describe('an address that somebody gave us is taken:', () => {
  test.each([
    ['a name', 'http://example.com/', 'http://example.com/'],
    ['a name with blanks around it', ' https://example.com/hook\n', 'https://example.com/hook'],
    ['a name in upper case', 'HTTPS://EXAMPLE.COM/Hook', 'https://example.com/Hook'],
    ['a name with a dot at the end', 'https://example.com./', 'https://example.com./'],
    ['a name beyond ASCII', 'https://bücher.example/', 'https://xn--bcher-kva.example/'],
    [
      'a name that only begins like a local one',
      'https://localhost.example.com/',
      'https://localhost.example.com/',
    ],
    ['a name that only ends like a local one', 'https://notlocal.com/', 'https://notlocal.com/'],
    ['a name of digits', 'https://127.example.com/', 'https://127.example.com/'],
    ['a public address and port', 'https://8.8.8.8:8443/x?y', 'https://8.8.8.8:8443/x?y'],
    ['the neighbour before 10/8', 'http://9.255.255.255/', 'http://9.255.255.255/'],
    ['the neighbour behind 10/8', 'http://11.0.0.0/', 'http://11.0.0.0/'],
    ['the neighbour before 172.16/12', 'http://172.15.255.255/', 'http://172.15.255.255/'],
    ['the neighbour behind 172.16/12', 'http://172.32.0.0/', 'http://172.32.0.0/'],
    ['the neighbour before 100.64/10', 'http://100.63.255.255/', 'http://100.63.255.255/'],
    ['the neighbour behind 100.64/10', 'http://100.128.0.0/', 'http://100.128.0.0/'],
    ['the neighbour before multicast', 'http://223.255.255.255/', 'http://223.255.255.255/'],
    ['a public IPv6 address', 'https://[2606:4700:4700::1111]/', 'https://[2606:4700:4700::1111]/'],
    ['NAT64 of a public address', 'http://[64:ff9b::8.8.8.8]/', 'http://[64:ff9b::808:808]/'],
    ['another host in the path', 'http://example.com\\@127.0.0.1/', 'http://example.com/@127.0.0.1/'],
    [
      'another address in the query',
      'http://example.com/?u=http://127.0.0.1',
      'http://example.com/?u=http://127.0.0.1',
    ],
    [
      'CR LF that is encoded, as it stands there',
      'http://example.com/%0d%0aX:y',
      'http://example.com/%0d%0aX:y',
    ],
  ])('%s', (_what, url, normal) => {
    expect(checkOutboundUrl(url, STRICT).href).toBe(normal);
  });

  test('one of this machine, where a policy says so', () => {
    const local = { ...STRICT, allowPrivateAddresses: true };
    expect(reasonFor('http://127.0.0.1:3000/', local)).toBeNull();
    expect(reasonFor('http://localhost:3000/', local)).toBeNull();
    expect(reasonFor('http://user@localhost/', local)).toBe('credentials');
  });
});

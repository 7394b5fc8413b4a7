import { BlockList, isIP, isIPv4 } from 'node:net';

/** What an IP address is for; only `public` ones are hosts of the internet. */
export type AddressKind =
  'public' | 'invalid' | (typeof SPECIAL_V4)[number][0] | (typeof SPECIAL_V6)[number][0];

/**
 * IPv4 that is no public host: IANA's special-purpose registry, multicast and reserved space, and the one public
 * address at which a cloud answers questions about its machines (Azure). The first that fits names the kind.
 */
const SPECIAL_V4 = [
  ['metadata', '169.254.169.254/32', '168.63.129.16/32', '100.100.100.200/32', '192.0.0.192/32'],
  ['unspecified', '0.0.0.0/8'],
  ['loopback', '127.0.0.0/8'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  ['shared', '100.64.0.0/10'],
  ['link_local', '169.254.0.0/16'],
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  ['benchmarking', '198.18.0.0/15'],
  ['broadcast', '255.255.255.255/32'],
  ['multicast', '224.0.0.0/4'],
  // Protocol assignments, relays of 6to4, and class E
  ['reserved', '192.0.0.0/24', '192.88.99.0/24', '240.0.0.0/4'],
] as const;

/** The same of IPv6. What is outside of global unicast (2000::/3) is `reserved` without being listed. */
const SPECIAL_V6 = [
  ['metadata', 'fd00:ec2::254/128', 'fd20:ce::254/128', 'fd00:42::42/128'],
  ['unspecified', '::/128'],
  ['loopback', '::1/128'],
  // Mapped, compatible, translated on this network, 6to4 and Teredo: whoever carries them turns them into IPv4.
  ['embedded_ipv4', '::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b:1::/48', '2002::/16', '2001::/32'],
  ['private', 'fc00::/7'],
  ['link_local', 'fe80::/10', 'fec0::/10'],
  ['multicast', 'ff00::/8'],
  ['documentation', '2001:db8::/32', '3fff::/20'],
  ['benchmarking', '2001:2::/48'],
  // Protocol assignments, and the 6bone, which was given back
  ['reserved', '2001::/23', '3ffe::/16'],
] as const;

type Range<K> = readonly [kind: K, addresses: BlockList];

const rangesV4 = SPECIAL_V4.map(([kind, ...networks]) => rangeOf(kind, networks, 'ipv4'));
const rangesV6 = SPECIAL_V6.map(([kind, ...networks]) => rangeOf(kind, networks, 'ipv6'));
const [, globalUnicast] = rangeOf('public', ['2000::/3'], 'ipv6');
/** Well-known prefix of translators to IPv4 (RFC 6052): all that machines without IPv4 reach of it */
const [, translated] = rangeOf('public', ['64:ff9b::/96'], 'ipv6');

/** @param address an IP address in any spelling that `net.isIP` takes; all else is `invalid` */
export function addressKind(address: string): AddressKind {
  if (isIPv4(address)) return kindIn(rangesV4, address, 'ipv4') ?? 'public';
  // A zone ("%eth0") names a link of this machine.
  if (address.includes('%')) return isIP(address) ? 'link_local' : 'invalid';
  if (!isIP(address)) return 'invalid';
  const words = wordsOf(address);
  if (translated.check(address, 'ipv6')) return addressKind(embeddedIn(words));
  const special = kindIn(rangesV6, address, 'ipv6');
  if (special) return special;
  if (isIsatap(words)) return 'embedded_ipv4';
  return globalUnicast.check(address, 'ipv6') ? 'public' : 'reserved';
}

/** Whether an IP address is a host of the public internet. */
export function isPublicAddress(address: string): boolean {
  return addressKind(address) === 'public';
}

function rangeOf<K>(kind: K, networks: readonly string[], family: 'ipv4' | 'ipv6'): Range<K> {
  const addresses = new BlockList();
  for (const network of networks) {
    const [base = '', prefix] = network.split('/');
    addresses.addSubnet(base, Number(prefix), family);
  }
  return [kind, addresses];
}

function kindIn<K>(ranges: readonly Range<K>[], address: string, family: 'ipv4' | 'ipv6'): K | null {
  return ranges.find(([, addresses]) => addresses.check(address, family))?.[0] ?? null;
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): number[] {
  // The URL parser writes a dotted end as two words.
  const compressed = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = [], tail = []] = compressed.split('::').map((part) =>
    part
      .split(':')
      .filter((word) => word !== '')
      .map((word) => Number.parseInt(word, 16)),
  );
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** The IPv4 address in the last two words. */
function embeddedIn(words: readonly number[]): string {
  return words
    .slice(-2)
    .flatMap((word) => [word >> 8, word & 255])
    .join('.');
}

/** Interfaces that tunnel to the IPv4 address in them, whatever the network (RFC 5214). */
function isIsatap(words: readonly number[]): boolean {
  return words[5] === 0x5efe && (words[4] === 0 || words[4] === 0x200);
}

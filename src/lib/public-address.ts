import { BlockList, isIPv6 } from 'node:net';

/**
 * IPv4 that is no public host: IANA's special-purpose registry, multicast and reserved space, and the one public
 * address at which a cloud answers questions about its machines (Azure).
 */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['168.63.129.16', 32],
];

/** Within global unicast (2000::/3): protocol assignments with Teredo, documentation, and 6to4, which embeds IPv4. */
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const deniedV4 = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_V4) deniedV4.addSubnet(network, prefix, 'ipv4');
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');
const deniedV6 = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_V6) deniedV6.addSubnet(network, prefix, 'ipv6');

/**
 * Whether an IP address is a host of the public internet. Of IPv6 only global unicast is: loopback, link-local, unique
 * local, multicast, and forms that stand for an IPv4 address (mapped, translated) are outside of it.
 */
export function isPublicAddress(address: string): boolean {
  if (!isIPv6(address)) return !deniedV4.check(address, 'ipv4');
  // A zone ("%eth0") names a link of this machine.
  if (address.includes('%')) return false;
  return globalV6.check(address, 'ipv6') && !deniedV6.check(address, 'ipv6');
}

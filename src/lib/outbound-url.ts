import { isIP } from 'node:net';
import { addressKind, type AddressKind } from './public-address.ts';

/** What an address that somebody else gave us may be. */
export interface OutboundPolicy {
  /** For development and tests: receivers on this machine and in its network */
  readonly allowPrivateAddresses: boolean;
  readonly requireHttps: boolean;
}

/** Why an address is not called; of an IP address, what kind of address it is. */
export type UnsafeReason =
  | 'too_long'
  | 'control_character'
  | 'not_absolute'
  | 'protocol'
  | 'credentials'
  | 'port'
  | 'local_name'
  | 'downgrade'
  | Exclude<AddressKind, 'public'>;

/** The address is none that we call; the message is for the person who gave it. */
export class UnsafeUrlError extends Error {
  override readonly name = 'UnsafeUrlError';
  readonly reason: UnsafeReason;

  constructor(reason: UnsafeReason, message: string) {
    super(message);
    this.reason = reason;
  }

  /** Says no more than that: what a name resolves to inside of our network is nobody's business. */
  static notPublic(reason: UnsafeReason): UnsafeUrlError {
    return new UnsafeUrlError(
      reason,
      'Expected the address of a public host; this one is private or reserved.',
    );
  }
}

const URL_LENGTH_MAX = 2_000;

/**
 * Ports of other protocols, whose servers would read a request as commands: those that browsers refuse too
 * (https://fetch.spec.whatwg.org/#port-blocking).
 */
const REFUSED_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** Names that no public server has: of this machine, of its network, of a cloud's or a cluster's inside. */
const LOCAL_NAME = /(^|\.)(localhost|localdomain|local|internal|lan|home\.arpa)$/;

/**
 * The address in its normal form, if we would call it: odd spellings of IP addresses are seen through. What a name
 * resolves to is checked whenever it is called.
 * @throws UnsafeUrlError
 */
export function checkOutboundUrl(text: string, policy: OutboundPolicy): URL {
  const url = parse(text.trim());
  const protocols = policy.requireHttps ? ['https:'] : ['https:', 'http:'];
  if (!protocols.includes(url.protocol)) {
    const expected = protocols.map((protocol) => `${protocol}//`).join(' or ');
    throw new UnsafeUrlError('protocol', `Expected an address that begins with ${expected}.`);
  }
  if (url.username || url.password)
    throw new UnsafeUrlError('credentials', 'Expected an address without a user name or password in it.');
  if (url.port !== '' && REFUSED_PORTS.has(Number(url.port)))
    throw new UnsafeUrlError('port', `Expected a port of a web server; ${url.port} is another protocol's.`);
  const kind = policy.allowPrivateAddresses ? 'public' : kindOf(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (kind !== 'public') throw UnsafeUrlError.notPublic(kind);
  return url;
}

function parse(text: string): URL {
  if (text.length > URL_LENGTH_MAX)
    throw new UnsafeUrlError('too_long', `Expected at most ${URL_LENGTH_MAX} characters.`);
  // The parser would drop tabs and line ends, and read something else than what a person sees.
  if (/\p{Cc}/u.test(text))
    throw new UnsafeUrlError('control_character', 'Expected an address without control characters.');
  try {
    return new URL(text);
  } catch {
    throw new UnsafeUrlError(
      'not_absolute',
      'Expected an absolute address such as https://example.com/hook.',
    );
  }
}

/** Literals are never looked up; names of this machine and of its network need not be. */
function kindOf(host: string): AddressKind | 'local_name' {
  if (isIP(host)) return addressKind(host);
  const name = host.replace(/\.$/, '');
  return LOCAL_NAME.test(name) || !name.includes('.') ? 'local_name' : 'public';
}

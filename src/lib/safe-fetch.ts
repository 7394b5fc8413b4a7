import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { toError, withTimeout } from './abort.ts';
import { isPublicAddress } from './public-address.ts';

/** What an address that somebody else gave us may be. */
export interface OutboundPolicy {
  /** For development and tests: receivers on this machine and in its network */
  readonly allowPrivateAddresses: boolean;
  readonly requireHttps: boolean;
}

/** The address is none that we call; the message is for the person who gave it. */
export class UnsafeUrlError extends Error {
  override readonly name = 'UnsafeUrlError';
}

export interface SafeRequest {
  readonly url: string;
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** From the first look-up to the last byte */
  readonly timeoutMs: number;
  /** What is read of the answer's body; the rest is left */
  readonly bodyBytesMax: number;
}

export interface SafeResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** There was more than `bodyBytesMax` */
  readonly truncated: boolean;
}

/** Turns a name into addresses, as `dns.lookup` does. */
export type Resolver = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

const URL_LENGTH_MAX = 2_000;

/**
 * The address in its normal form, if we would call it: odd spellings of IP addresses are seen through. What a name
 * resolves to is checked again whenever it is called.
 * @throws UnsafeUrlError
 */
export function checkOutboundUrl(text: string, policy: OutboundPolicy): URL {
  if (text.length > URL_LENGTH_MAX)
    throw new UnsafeUrlError(`Expected at most ${URL_LENGTH_MAX} characters.`);
  const url = parse(text);
  if (!url) throw new UnsafeUrlError('Expected an absolute address such as https://example.com/hook.');
  const protocols = policy.requireHttps ? ['https:'] : ['https:', 'http:'];
  if (!protocols.includes(url.protocol))
    throw new UnsafeUrlError(`Expected an address that begins with ${protocols.join('// or ')}//.`);
  if (url.username || url.password)
    throw new UnsafeUrlError('Expected an address without a user name or password in it.');
  if (!policy.allowPrivateAddresses && isKnownPrivate(hostOf(url))) throw notPublic();
  return url;
}

/**
 * One HTTP request to an address that somebody else gave us. Addresses are checked when the connection is made, so a
 * name that resolves to another one by then does not get through; redirects are answers like any other.
 * @throws UnsafeUrlError, the signal's reason, a TimeoutError, or what went wrong on the way
 */
export async function safeFetch(
  request: SafeRequest,
  policy: OutboundPolicy,
  resolver: Resolver = lookup,
): Promise<SafeResponse> {
  const url = checkOutboundUrl(request.url, policy);
  const signal = withTimeout(request.timeoutMs, request.signal);
  signal.throwIfAborted();
  const options: RequestOptions = {
    method: request.method,
    headers: {
      ...request.headers,
      ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
    },
    // A connection of its own: one that is kept would skip the look-up.
    agent: false,
    lookup: checkedLookup(policy, resolver),
    signal,
  };
  try {
    const response = await send(url, options, request.body);
    return await read(response, request.bodyBytesMax);
  } catch (error) {
    // Node's own AbortError hides which of the signals it was.
    if (signal.aborted) throw toError(signal.reason);
    throw error;
  }
}

function send(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function read(response: IncomingMessage, bytesMax: number): Promise<SafeResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let truncated = false;
  for await (const chunk of response) {
    const data = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    chunks.push(data.subarray(0, bytesMax - bytes));
    bytes += data.byteLength;
    truncated = bytes > bytesMax;
    // Leaving the loop destroys the connection.
    if (truncated) break;
  }
  const { statusCode = 0, headers } = response;
  return { status: statusCode, headers, body: Buffer.concat(chunks), truncated };
}

/** Resolves a name and gives out only the addresses that may be called. */
function checkedLookup(policy: OutboundPolicy, resolver: Resolver): LookupFunction {
  return (hostname, options, done) => {
    resolver(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, []);
      const allowed = policy.allowPrivateAddresses ? found : found.filter(isPublic);
      const [first] = allowed;
      if (!first) return done(notPublic(), []);
      if (options.all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}

const isPublic = ({ address }: LookupAddress): boolean => isPublicAddress(address);

/** Literals are never looked up; names of this machine and of its network need not be. */
function isKnownPrivate(host: string): boolean {
  if (isIP(host)) return !isPublicAddress(host);
  return /(^|\.)(localhost|local|internal)$/.test(host.replace(/\.$/, ''));
}

/** Without the brackets of an IPv6 literal. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function parse(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function notPublic(): UnsafeUrlError {
  return new UnsafeUrlError('Expected the address of a public host; this one is private or reserved.');
}

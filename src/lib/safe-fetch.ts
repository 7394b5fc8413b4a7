import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { toError, withTimeout } from './abort.ts';
import { ENCODINGS, readLimited } from './limited-body.ts';
import { checkOutboundUrl, UnsafeUrlError, type OutboundPolicy } from './outbound-url.ts';
import { addressKind, isPublicAddress } from './public-address.ts';

export interface SafeRequest {
  readonly url: string;
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** From the first look-up to the last byte, over all redirects */
  readonly timeoutMs: number;
  /** What is read of the answer's body; the rest is left */
  readonly bodyBytesMax: number;
  /** Redirects that are followed; default 0: they are answers like any other. With POST they always are. */
  readonly redirectsMax?: number;
  /** Asks for a packed body and unpacks it; default: the body is taken as it comes */
  readonly unpack?: boolean;
}

export interface SafeResponse {
  /** Where the answer came from, after all redirects */
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** There was more than `bodyBytesMax` */
  readonly truncated: boolean;
}

export class TooManyRedirectsError extends Error {
  override readonly name = 'TooManyRedirectsError';
}

/** Turns a name into addresses, as `dns.lookup` does. */
export type Resolver = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/** Frame the message or name the server: they follow from the request. */
const OWN_HEADERS =
  /^(host|connection|content-length|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;
/** All that another origin is told when a redirect leads there: the others may be meant for the first alone. */
const HARMLESS_HEADERS = /^(accept(-.*)?|user-agent)$/;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * One HTTP request to an address that somebody else gave us. Addresses are checked when the connection is made, and it
 * is made to the very address that was checked: a name that resolves to another one by then does not get through. Each
 * redirect is a new request in all of this.
 * @throws UnsafeUrlError, TooManyRedirectsError, UnknownEncodingError, the signal's reason, a TimeoutError, or what
 * went wrong on the way
 */
export async function safeFetch(
  request: SafeRequest,
  policy: OutboundPolicy,
  resolver: Resolver = lookup,
): Promise<SafeResponse> {
  const url = checkOutboundUrl(request.url, policy);
  const headers = headersOf(request);
  const signal = withTimeout(request.timeoutMs, request.signal);
  signal.throwIfAborted();
  const options: RequestOptions = {
    method: request.method,
    // A connection of its own: one that is kept would skip the look-up.
    agent: false,
    lookup: checkedLookup(policy, resolver),
    signal,
  };
  try {
    const { response, from } = await follow(request, policy, { url, headers, options });
    const read = { bytesMax: request.bodyBytesMax, unpack: request.unpack ?? false };
    const { statusCode: status = 0, headers: answered } = response;
    return { url: from.href, status, headers: answered, ...(await readLimited(response, read)) };
  } catch (error) {
    // Node's own AbortError hides which of the signals it was.
    if (signal.aborted) throw toError(signal.reason);
    throw error;
  }
}

interface Hop {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly options: RequestOptions;
}

async function follow(
  { method, body, redirectsMax = 0 }: SafeRequest,
  policy: OutboundPolicy,
  first: Hop,
): Promise<{ readonly response: IncomingMessage; readonly from: URL }> {
  let { url, headers } = first;
  for (let followed = 0; ; followed += 1) {
    const response = await send(url, { ...first.options, headers }, body);
    const { location } = response.headers;
    // What a body says is for the one place it was sent to.
    const isFollowed = redirectsMax > 0 && method !== 'POST' && REDIRECTS.has(response.statusCode ?? 0);
    if (!isFollowed || location === undefined) return { response, from: url };
    response.destroy();
    if (followed === redirectsMax)
      throw new TooManyRedirectsError(`more than ${redirectsMax} redirects, the last one to another`);
    const next = redirectTarget(url, location, policy);
    if (next.origin !== url.origin) headers = harmless(headers);
    url = next;
  }
}

/** @throws UnsafeUrlError */
function redirectTarget(from: URL, location: string, policy: OutboundPolicy): URL {
  const text = URL.canParse(location, from) ? new URL(location, from).href : location;
  const next = checkOutboundUrl(text, policy);
  if (from.protocol === 'https:' && next.protocol !== 'https:')
    throw new UnsafeUrlError('downgrade', 'Expected an address that does not redirect from https to http.');
  return next;
}

/** @throws TypeError for a header that is not the caller's to set */
function headersOf({ headers = {}, body, unpack = false }: SafeRequest): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const own = given.find(([name]) => OWN_HEADERS.test(name));
  if (own) throw new TypeError(`the header ${own[0]} follows from the request`);
  return {
    ...Object.fromEntries(given),
    'accept-encoding': unpack ? ENCODINGS : 'identity',
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  };
}

function harmless(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS_HEADERS.test(name)));
}

function send(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, resolve);
    outgoing.on('error', reject);
    // Handed over, the connection would be outside of all limits.
    outgoing.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the server switched to another protocol'));
    });
    outgoing.end(body);
  });
}

/** Resolves a name and gives out only the addresses that may be called. */
function checkedLookup(policy: OutboundPolicy, resolver: Resolver): LookupFunction {
  return (hostname, options, done) => {
    resolver(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, []);
      const isAllowed = ({ address }: LookupAddress): boolean =>
        policy.allowPrivateAddresses || isPublicAddress(address);
      const allowed = found.filter(isAllowed);
      const [first] = allowed;
      if (!first) return done(notPublic(found), []);
      if (options.all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}

function notPublic([first]: readonly LookupAddress[]): UnsafeUrlError {
  const kind = first ? addressKind(first.address) : 'invalid';
  return UnsafeUrlError.notPublic(kind === 'public' ? 'invalid' : kind);
}

import { sleep, withTimeout } from '../lib/abort.ts';
import { backoffMs, type BackoffPolicy } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { ProviderError } from './provider-error.ts';

/** A request to a provider, below its base address. */
export interface ProviderRequest {
  readonly method?: 'GET' | 'POST';
  /** Begins with a slash; or a whole address that the provider gave for the next page */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON */
  readonly json?: unknown;
  /** Sent as a form */
  readonly form?: Readonly<Record<string, string>>;
  /** Whether it may be sent twice; default: GET may, POST may not */
  readonly isRepeatable?: boolean;
}

/** An answer that was read whole. */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; undefined for a body that is no JSON */
  readonly json: unknown;
  readonly hasBody: boolean;
}

/** How one provider speaks. */
export interface ProviderProtocol {
  /** For messages: "Stripe" */
  readonly title: string;
  /** Without a slash at the end; a function where only the credentials tell it */
  readonly baseUrl: string | (() => Promise<string>);
  /** One request takes no longer, in ms */
  readonly timeoutMs: number;
  /** A request that fails is not sent again after this many; default: 5 */
  readonly triesMax?: number;
  /** Header of an answer with the provider's own id of the request */
  readonly requestIdHeader: string | null;
  /** Headers of every request, credentials included; asked for anew each time. `signal` ends the whole request. */
  headers(signal: AbortSignal): Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** Parameters that go with a request's headers, such as a proof that belongs to the token among them. */
  query?(headers: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>;
  /** Gets new credentials after a refusal; false: there are none to get. Asked once per request */
  renew(signal: AbortSignal): Promise<boolean>;
  /** What an answer means, status 200 included; null: it is good. */
  judge(answer: ProviderAnswer, now: Date): ProviderError | null;
}

export interface ProviderClientOptions {
  readonly protocol: ProviderProtocol;
  readonly clock: Clock;
  /** Default: half a minute at most, drawn by chance from the whole of it */
  readonly backoff?: BackoffPolicy;
}

const TRIES_MAX = 5;
const BACKOFF: BackoffPolicy = { baseMs: 1_000, maxMs: 30_000, jitter: 1 };
/** Whoever has to wait longer gives the worker back and says when to come again, in ms. */
const PATIENCE_MS = 5_000;
/** No page of any provider is larger, in bytes. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** Asks one account's provider: with a time limit, again where that helps, and never anybody else. */
export class ProviderClient {
  readonly #protocol: ProviderProtocol;
  readonly #clock: Clock;
  readonly #backoff: BackoffPolicy;

  constructor({ protocol, clock, backoff = BACKOFF }: ProviderClientOptions) {
    this.#protocol = protocol;
    this.#clock = clock;
    this.#backoff = backoff;
  }

  /**
   * @returns the good answer's JSON and headers
   * @throws ProviderError, or the signal's reason
   */
  async request(request: ProviderRequest, signal: AbortSignal): Promise<ProviderAnswer> {
    const url = await this.#addressOf(request);
    const isRepeatable = request.isRepeatable ?? (request.method ?? 'GET') === 'GET';
    const triesMax = this.#protocol.triesMax ?? TRIES_MAX;
    let hasRenewed = false;
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#attempt(url, request, signal);
      if (!(answer instanceof ProviderError)) return answer;
      signal.throwIfAborted();
      if (answer.kind === 'auth_expired' && !hasRenewed) {
        hasRenewed = true;
        if (await this.#protocol.renew(signal)) continue;
      }
      const waitMs = this.#waitMs(answer, attempt);
      const mayRepeat = isRepeatable || answer.kind === 'rate_limited';
      if (waitMs === null || !mayRepeat || attempt >= triesMax) throw answer;
      await sleep(waitMs, signal);
      signal.throwIfAborted();
    }
  }

  /** Null: waiting here does not help. */
  #waitMs({ kind, resumeAt }: ProviderError, attempt: number): number | null {
    if (kind !== 'transient' && kind !== 'rate_limited') return null;
    const ownMs = backoffMs(this.#backoff, attempt);
    const askedMs = resumeAt ? Math.max(0, resumeAt.getTime() - this.#clock.now().getTime()) : ownMs;
    return kind === 'rate_limited' && askedMs > PATIENCE_MS ? null : askedMs;
  }

  async #attempt(
    url: URL,
    request: ProviderRequest,
    signal: AbortSignal,
  ): Promise<ProviderAnswer | ProviderError> {
    const { title, timeoutMs } = this.#protocol;
    try {
      const own = await this.#protocol.headers(signal);
      const headers = { ...own, ...bodyHeaders(request), ...request.headers };
      const response = await fetch(await this.#withQuery(url, headers), {
        method: request.method ?? 'GET',
        headers,
        body: bodyOf(request),
        // Whoever is sent elsewhere would show the credentials there.
        redirect: 'manual',
        signal: withTimeout(timeoutMs, signal),
      });
      const answer = await read(response);
      return this.#judge(answer) ?? answer;
    } catch (cause) {
      if (cause instanceof ProviderError) return cause;
      return new ProviderError('transient', `${title} did not answer.`, { cause });
    }
  }

  async #withQuery(url: URL, headers: Readonly<Record<string, string>>): Promise<URL> {
    const whole = new URL(url);
    const query = (await this.#protocol.query?.(headers)) ?? {};
    for (const [name, value] of Object.entries(query)) whole.searchParams.set(name, value);
    return whole;
  }

  #judge(answer: ProviderAnswer): ProviderError | null {
    const { title, requestIdHeader } = this.#protocol;
    const requestId = requestIdHeader === null ? null : answer.headers.get(requestIdHeader);
    if (answer.status >= 300 && answer.status < 400)
      return new ProviderError('bad_request', `${title} sent us elsewhere.`, { requestId });
    const judged = this.#protocol.judge(answer, this.#clock.now());
    if (judged) return judged;
    if (answer.status < 400 && answer.json !== undefined) return null;
    const { status } = answer;
    const kind = status >= 500 || status < 400 ? 'transient' : 'bad_request';
    const what = status < 400 ? 'something that is no JSON' : `HTTP ${status}`;
    return new ProviderError(kind, `${title} answered ${what}.`, { requestId });
  }

  /** Credentials go to the provider alone, whatever address a page of it names. */
  async #addressOf({ path, query = {} }: ProviderRequest): Promise<URL> {
    const { baseUrl: given, title } = this.#protocol;
    const baseUrl = typeof given === 'string' ? given : await given();
    const address = path.startsWith('/') ? baseUrl + path : path;
    if (!URL.canParse(address)) throw new ProviderError('bad_request', `${title} named a page that is none.`);
    const url = new URL(address);
    if (url.origin !== new URL(baseUrl).origin)
      throw new ProviderError('bad_request', `${title} named a page on another host, ${url.host}.`);
    for (const [name, value] of Object.entries(query)) {
      const values = value === undefined ? [] : [value].flat();
      values.forEach((each) => url.searchParams.append(name, String(each)));
    }
    return url;
  }
}

function bodyOf({ json, form }: ProviderRequest): string | null {
  if (form) return new URLSearchParams(form).toString();
  return json === undefined ? null : JSON.stringify(json);
}

function bodyHeaders({ json, form }: ProviderRequest): Record<string, string> {
  if (form) return { 'content-type': 'application/x-www-form-urlencoded' };
  return json === undefined ? {} : { 'content-type': 'application/json' };
}

async function read(response: Response): Promise<ProviderAnswer> {
  const { status, headers } = response;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX)
      throw new ProviderError('bad_request', `An answer is larger than ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return { status, headers, json: parseJson(Buffer.concat(chunks).toString('utf8')), hasBody: bytes > 0 };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

import { z } from 'zod';
import type { OAuthApp } from '../domain/oauth-app.ts';
import type { BackoffPolicy } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { ProviderClient, type ProviderAnswer } from './client.ts';
import { ProviderError } from './provider-error.ts';

export interface AuthorizeRequest<Config> {
  readonly app: OAuthApp;
  readonly config: Config;
  /** Where the provider sends the person back to; it is registered with the app */
  readonly redirectUri: string;
  readonly state: string;
  /** PKCE (RFC 7636), by S256; for providers that know it */
  readonly codeChallenge: string;
  /** In the place of the provider's own address: tests and development */
  readonly baseUrl?: string | undefined;
}

/** What a provider sent a person back with. */
export interface AuthorizationCallback<Config> {
  readonly app: OAuthApp;
  readonly config: Config;
  readonly query: URLSearchParams;
}

export interface CodeExchange<Config> {
  readonly app: OAuthApp;
  readonly config: Config;
  readonly code: string;
  readonly codeVerifier: string;
  /** The same as when the person was sent there */
  readonly redirectUri: string;
  readonly clock: Clock;
  /** In the place of the provider's own address: tests and development */
  readonly baseUrl?: string | undefined;
  readonly backoff?: BackoffPolicy | undefined;
  readonly signal: AbortSignal;
}

/** The authorization code flow of a provider (RFC 6749 §4.1): a person allows it there, and enters no key here. */
export interface ProviderOAuth<Config, Credentials> {
  /** What is asked for, in the provider's words */
  readonly scopes: readonly string[];
  /** Where a person is sent to */
  authorizeUrl(request: AuthorizeRequest<Config>): URL;
  /** Whether what came back is from this provider, where it says more of itself than the state; absent: the state is all */
  readonly isGenuine?: (callback: AuthorizationCallback<Config>) => boolean;
  /** A code is good for one exchange, so it is sent once. @throws ProviderError, or the signal's reason */
  exchange(request: CodeExchange<Config>): Promise<Credentials>;
}

/** The same, the provider's own types hidden. */
export interface OAuthFlow {
  readonly scopes: readonly string[];
  /** @throws ZodError for a configuration of another release */
  authorizeUrl(request: AuthorizeRequest<unknown>): URL;
  isGenuine(callback: AuthorizationCallback<unknown>): boolean;
  exchange(request: CodeExchange<unknown>): Promise<unknown>;
}

export function defineOAuth<Config, Credentials>(
  config: z.ZodType<Config>,
  { scopes, authorizeUrl, isGenuine = () => true, exchange }: ProviderOAuth<Config, Credentials>,
): OAuthFlow {
  const own = <Request extends { readonly config: unknown }>(request: Request) => ({
    ...request,
    config: config.parse(request.config),
  });
  return {
    scopes,
    authorizeUrl: (request) => authorizeUrl(own(request)),
    isGenuine: (callback) => isGenuine(own(callback)),
    exchange: (request) => exchange(own(request)),
  };
}

/** An address with what a code flow asks for at every provider. */
export function authorizeAddress(
  address: string,
  { app, redirectUri, state }: AuthorizeRequest<unknown>,
  more: Readonly<Record<string, string>>,
): URL {
  const url = new URL(address);
  const common = { client_id: app.clientId, redirect_uri: redirectUri, state, response_type: 'code' };
  for (const [name, value] of Object.entries({ ...common, ...more })) url.searchParams.set(name, value);
  return url;
}

/** What goes with the challenge that a provider was shown. */
export const S256 = { code_challenge_method: 'S256' } as const;

interface TokenEndpoint {
  readonly title: string;
  /** Without a slash at the end */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly backoff?: BackoffPolicy | undefined;
}

/** Speaks to where codes are exchanged: it shows nobody's token, and repeats nothing of what a provider says. */
export function tokenClient({ title, baseUrl, clock, backoff }: TokenEndpoint): ProviderClient {
  return new ProviderClient({
    protocol: {
      title,
      baseUrl,
      timeoutMs: EXCHANGE_MS,
      triesMax: 1,
      requestIdHeader: null,
      headers: () => ({ accept: 'application/json' }),
      renew: async () => false,
      judge: (answer) => judgeExchange(title, answer),
    },
    clock,
    ...(backoff && { backoff }),
  });
}

/** One exchange takes no longer, in ms. */
const EXCHANGE_MS = 10_000;

const refusal = z.object({ error: z.string().regex(/^[a-z_]{1,60}$/) });

/** The endpoint may quote what it was sent: only its error's code is told (RFC 6749 §5.2). */
function judgeExchange(title: string, { status, json }: ProviderAnswer): ProviderError | null {
  if (status < 400 || status >= 500 || status === 429) return null;
  const { error = `HTTP ${status}` } = refusal.safeParse(json).data ?? {};
  return new ProviderError('auth_expired', `${title} did not give access (${error}).`);
}

/** Without the parser's words: they may hold a token. @throws ProviderError for an answer of another shape */
export function readTokens<Shape>(title: string, shape: z.ZodType<Shape>, { json }: ProviderAnswer): Shape {
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ProviderError('transient', `${title} answered something that is no access token.`);
}

/** When what was asked for now ends. */
export function endsAt(clock: Clock, seconds: number): string {
  return new Date(clock.now().getTime() + seconds * 1_000).toISOString();
}

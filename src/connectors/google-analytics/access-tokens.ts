import { isDeepStrictEqual } from 'node:util';
import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import { raceAbort, withTimeout } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { ProviderClient } from '../client.ts';
import type { CredentialStore, OpenOptions } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { storeExchanged } from '../store-exchanged.ts';
import type { Credentials, ServiceAccount } from './credentials.ts';
import { judgeToken } from './errors.ts';

/** What the credentials are exchanged for: held in memory, never stored. */
export interface AccessTokens {
  /** One that holds for a minute at least. @throws ProviderError, or the signal's reason */
  current(signal: AbortSignal): Promise<string>;
  /** Gets another one after a refusal; false: none was shown, so none was refused. @throws as `current` does */
  renew(signal: AbortSignal): Promise<boolean>;
}

/** https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests */
export const TOKEN_BASE_URL = 'https://oauth2.googleapis.com';
const AUDIENCE = 'https://oauth2.googleapis.com/token';
export const SCOPE = 'https://www.googleapis.com/auth/analytics.readonly';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ASSERTION_SECONDS = 3_600;

/** A token that ends within it, in ms, counts as over: it has to last for a request. */
const SPARE_MS = 60_000;
/** Asking for a token takes no longer, in ms, repetitions included. */
const EXCHANGE_MS_MAX = 60_000;

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  /** Seconds */
  expires_in: z.number().min(0).default(3_600),
  /** Google leaves a refresh token as it is; RFC 6749 §6 lets it rotate one */
  refresh_token: z.string().min(1).optional(),
});

export function openAccessTokens(options: OpenOptions<unknown, Credentials>): AccessTokens {
  const { clock } = options;
  const client = openTokenClient(options);
  let held: { readonly token: string; readonly endsAtMs: number } | null = null;
  let exchange: Promise<string> | null = null;

  async function exchangeNow(): Promise<string> {
    held = null;
    const askedAtMs = clock.now().getTime();
    const answer = await requestToken(client, options.credentials, clock);
    held = { token: answer.access_token, endsAtMs: askedAtMs + answer.expires_in * 1_000 };
    return held.token;
  }

  /** Whoever asks meanwhile gets the same one; whoever gives up takes it from nobody. */
  function exchangeOnce(signal: AbortSignal): Promise<string> {
    exchange ??= exchangeNow().finally(() => {
      exchange = null;
    });
    return raceAbort(exchange, signal);
  }

  return {
    async current(signal) {
      if (held && held.endsAtMs - SPARE_MS > clock.now().getTime()) return held.token;
      return exchangeOnce(signal);
    },
    async renew(signal) {
      if (held === null && exchange === null) return false;
      await exchangeOnce(signal);
      return true;
    },
  };
}

function openTokenClient({
  clock,
  baseUrl = TOKEN_BASE_URL,
  backoff,
}: OpenOptions<unknown, unknown>): ProviderClient {
  return new ProviderClient({
    protocol: {
      title: 'Google',
      baseUrl,
      timeoutMs: 20_000,
      // Whoever needs the token tries again as well.
      triesMax: 2,
      requestIdHeader: null,
      headers: () => ({}),
      renew: async () => false,
      judge: judgeToken,
    },
    clock,
    ...(backoff && { backoff }),
  });
}

type TokenAnswer = z.infer<typeof tokenAnswer>;

/** With what is stored; and where somebody else has replaced that meanwhile, with theirs. */
async function requestToken(
  client: ProviderClient,
  store: CredentialStore<Credentials>,
  clock: Clock,
): Promise<TokenAnswer> {
  const before = await store.read();
  try {
    const answer = await ask(client, before, clock);
    const renewed = withRotated(before, answer);
    if (renewed === before || (await storeExchanged(store, before, renewed))) return answer;
  } catch (error) {
    if (!(error instanceof ProviderError && error.kind === 'auth_expired')) throw error;
    if (isDeepStrictEqual(await store.read(), before)) throw error;
  }
  return ask(client, await store.read(), clock);
}

/** The same where Google leaves the refresh token as it is. */
function withRotated(before: Credentials, { refresh_token: rotated }: TokenAnswer): Credentials {
  const isRotated = rotated && 'refreshToken' in before && rotated !== before.refreshToken;
  return isRotated ? { ...before, refreshToken: rotated } : before;
}

async function ask(client: ProviderClient, credentials: Credentials, clock: Clock): Promise<TokenAnswer> {
  const form = 'privateKey' in credentials ? await assertion(credentials, clock) : refreshForm(credentials);
  // Neither grant is used up by being shown twice.
  const request = { method: 'POST', path: '/token', form, isRepeatable: true } as const;
  const { json } = await client.request(request, withTimeout(EXCHANGE_MS_MAX));
  const answer = tokenAnswer.safeParse(json);
  // Without the parser's words: they may hold the token.
  if (!answer.success)
    throw new ProviderError('transient', 'Google answered something that is no access token.');
  return answer.data;
}

function refreshForm(credentials: Exclude<Credentials, ServiceAccount>): Record<string, string> {
  return {
    grant_type: 'refresh_token',
    client_id: credentials.clientId,
    client_secret: credentials.clientSecret,
    refresh_token: credentials.refreshToken,
  };
}

async function assertion(
  { clientEmail, privateKey }: ServiceAccount,
  clock: Clock,
): Promise<Record<string, string>> {
  const now = Math.floor(clock.now().getTime() / 1_000);
  const signed = new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(clientEmail)
    .setAudience(AUDIENCE)
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTION_SECONDS);
  const jwt = await importPKCS8(privateKey, 'RS256')
    .then((key) => signed.sign(key))
    .catch(() => {
      // Without the cause: it may hold the key.
      throw new ProviderError(
        'auth_expired',
        'The private key of the Google service account cannot be read.',
      );
    });
  return { grant_type: JWT_BEARER, assertion: jwt };
}

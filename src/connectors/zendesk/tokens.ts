import { z } from 'zod';
import { raceAbort, sleep } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ProviderClient } from '../client.ts';
import type { CredentialStore } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { storeExchanged } from '../store-exchanged.ts';
import { TITLE } from './protocol.ts';

export const zendeskCredentials = z.object({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  accessToken: z.string().min(1),
  /** Of the authorization code flow, and good for one use; none: the client asks for itself, by its secret */
  refreshToken: z.string().min(1).optional(),
  /** Of the access token; none: unknown, and a refusal will tell */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});
export type ZendeskCredentials = z.infer<typeof zendeskCredentials>;

/** https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/ */
export const grant = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish(),
  /** In seconds */
  expires_in: z.number().positive().nullish(),
});

/** A token that ends sooner is renewed before it is used. */
const MARGIN_MS = 60_000;
/** Zendesk's tokens live for 5 minutes at least: one that is refused sooner was not the one that was sent. */
const YOUNG_MS = 60_000;
/** How often what is stored is looked at after a refusal, and how long between, in ms. */
const LOOKS_MAX = 3;
const LOOK_MS = 200;

interface TokensOptions {
  /** For the token endpoint: it sends no token */
  readonly client: ProviderClient;
  readonly store: CredentialStore<ZendeskCredentials>;
  readonly clock: Clock;
}

/**
 * The token of one connection. Zendesk deletes both tokens when it gives out new ones, so a renewal is made once for all
 * who wait for it, is not broken off when they are, and is stored before anybody uses it. Another process may have
 * been quicker: what it stored counts.
 */
export class ZendeskTokens {
  readonly #client: ProviderClient;
  readonly #store: CredentialStore<ZendeskCredentials>;
  readonly #clock: Clock;
  #renewal: Promise<void> | null = null;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #sent: string | null = null;
  #refused: string | null = null;

  constructor({ client, store, clock }: TokensOptions) {
    this.#client = client;
    this.#store = store;
    this.#clock = clock;
  }

  /** The access token to send now. @throws ProviderError when it has ended and cannot be renewed */
  async current(signal: AbortSignal): Promise<string> {
    let stored = await this.#store.read();
    if (this.#isEnding(stored)) {
      await this.#renewOnce(signal);
      stored = await this.#store.read();
    }
    this.#sent = stored.accessToken;
    return stored.accessToken;
  }

  /**
   * After a refusal of what was sent.
   * @returns false when Zendesk has refused to renew it already
   * @throws ProviderError auth_expired when it refuses now
   */
  async renew(signal: AbortSignal): Promise<boolean> {
    const stored = await this.#store.read();
    if (grounds(stored) === this.#refused) return false;
    const isRenewed = this.#now() - this.#renewedAt < YOUNG_MS || stored.accessToken !== this.#sent;
    if (!isRenewed) await this.#renewOnce(signal);
    return true;
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    this.#renewal ??= this.#exchange().finally(() => {
      this.#renewal = null;
    });
    await raceAbort(this.#renewal, signal);
  }

  async #exchange(): Promise<void> {
    const stored = await this.#store.read();
    try {
      const isOurs = await storeExchanged(this.#store, stored, await this.#ask(stored));
      if (isOurs) this.#renewedAt = this.#now();
    } catch (error) {
      if (!(error instanceof ProviderError && error.kind === 'auth_expired')) throw error;
      if (await this.#isReplaced(stored)) return;
      this.#refused = grounds(stored);
      throw error;
    }
  }

  /** Whether another process was quicker: it may have got its tokens and not stored them yet. */
  async #isReplaced(before: ZendeskCredentials): Promise<boolean> {
    for (let look = 1; ; look += 1) {
      if (grounds(await this.#store.read()) !== grounds(before)) return true;
      if (look === LOOKS_MAX) return false;
      await sleep(LOOK_MS);
    }
  }

  async #ask(stored: ZendeskCredentials): Promise<ZendeskCredentials> {
    const { clientId, clientSecret, refreshToken } = stored;
    const flow =
      refreshToken === undefined
        ? { grant_type: 'client_credentials', scope: 'read' }
        : { grant_type: 'refresh_token', refresh_token: refreshToken };
    const json = { ...flow, client_id: clientId, client_secret: clientSecret };
    const request = { method: 'POST', path: '/oauth/tokens', json } as const;
    // Nobody's signal: an answer that was not waited for would take both tokens with it.
    const answer = await this.#client.request(request, new AbortController().signal);
    const given = grant.safeParse(answer.json);
    if (!given.success)
      throw new ProviderError('transient', `${TITLE} renewed the token and did not tell it.`);
    const { access_token, refresh_token, expires_in } = given.data;
    return {
      clientId,
      clientSecret,
      accessToken: access_token,
      refreshToken: refreshToken && (refresh_token ?? refreshToken),
      expiresAt: expires_in == null ? undefined : new Date(this.#now() + expires_in * 1_000).toISOString(),
    };
  }

  #isEnding({ expiresAt }: ZendeskCredentials): boolean {
    return expiresAt !== undefined && Date.parse(expiresAt) - this.#now() < MARGIN_MS;
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

/** By what a new token is asked for. */
function grounds({ refreshToken, clientSecret }: ZendeskCredentials): string {
  return refreshToken ?? clientSecret;
}

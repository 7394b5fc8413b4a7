import { z } from 'zod';
import { raceAbort } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ProviderClient } from '../client.ts';
import type { CredentialStore } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { storeExchanged } from '../store-exchanged.ts';
import { isRenewable, type RenewableCredentials, type ShopifyCredentials } from './credentials.ts';

/** A token is exchanged when it would last no longer than this, in ms: "a few minutes", says Shopify. */
const MARGIN_MS = 5 * 60_000;
/** An exchange goes on when whoever waits for it gives up, so it has an end of its own, in ms. */
const EXCHANGE_MS = 60_000;

const exchanged = z.object({
  access_token: z.string().min(1),
  /** Seconds */
  expires_in: z.int().positive(),
  refresh_token: z.string().min(1).optional(),
});

interface AccessOptions {
  readonly store: CredentialStore<ShopifyCredentials>;
  /** Speaks to the token endpoint, with no token */
  readonly client: ProviderClient;
  readonly clock: Clock;
}

/** The token of one connection, exchanged in time. */
export class ShopifyAccess {
  readonly #store: CredentialStore<ShopifyCredentials>;
  readonly #client: ProviderClient;
  readonly #clock: Clock;
  #lastUsed: string | null = null;
  #pending: Promise<void> | null = null;

  constructor({ store, client, clock }: AccessOptions) {
    this.#store = store;
    this.#client = client;
    this.#clock = clock;
  }

  /** One that is good now. @throws ProviderError when there is none to be had, or the signal's reason */
  async token(signal: AbortSignal): Promise<string> {
    let credentials = await this.#store.read();
    if (isRenewable(credentials) && !this.#isFresh(credentials)) {
      await this.#exchangeOnce(signal);
      credentials = await this.#store.read();
    }
    this.#lastUsed = credentials.accessToken ?? null;
    if (this.#lastUsed === null) throw new ProviderError('auth_expired', 'There is no Shopify access token.');
    return this.#lastUsed;
  }

  /** After the last one was refused. @returns false: there is nothing to exchange */
  async renew(signal: AbortSignal): Promise<boolean> {
    if (!isRenewable(await this.#store.read())) return false;
    await this.#exchangeOnce(signal);
    return true;
  }

  /** Requests that need it at the same time share one exchange, which none of them can end. */
  #exchangeOnce(signal: AbortSignal): Promise<void> {
    this.#pending ??= this.#exchange().finally(() => (this.#pending = null));
    return raceAbort(this.#pending, signal);
  }

  async #exchange(): Promise<void> {
    const before = await this.#store.read();
    // Another process may have been faster.
    if (!isRenewable(before) || this.#isNew(before)) return;
    try {
      // What another process stored meanwhile counts, whoever was first at Shopify.
      await storeExchanged(this.#store, before, await this.#ask(before));
    } catch (error) {
      const isRefused = error instanceof ProviderError && error.kind === 'auth_expired';
      if (isRefused && this.#isNew(await this.#store.read())) return;
      throw error;
    }
  }

  /**
   * Asked twice when the first answer is lost: the old refresh token stays good until its successor's token is used.
   * @see https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens
   */
  async #ask(credentials: RenewableCredentials): Promise<RenewableCredentials> {
    const { clientId, clientSecret } = credentials;
    const given =
      'refreshToken' in credentials
        ? { grant_type: 'refresh_token', refresh_token: credentials.refreshToken }
        : { grant_type: 'client_credentials' };
    const json = await this.#send({ client_id: clientId, client_secret: clientSecret, ...given });
    const parsed = exchanged.safeParse(json);
    if (!parsed.success) throw new ProviderError('transient', 'Shopify answered without an access token.');
    const { access_token: accessToken, expires_in: seconds, refresh_token: refreshToken } = parsed.data;
    const expiresAt = new Date(this.#clock.now().getTime() + seconds * 1_000).toISOString();
    const next = { ...credentials, accessToken, expiresAt };
    return 'refreshToken' in next ? { ...next, refreshToken: refreshToken ?? next.refreshToken } : next;
  }

  async #send(form: Readonly<Record<string, string>>): Promise<unknown> {
    const request = { method: 'POST', path: '/admin/oauth/access_token', form, isRepeatable: true } as const;
    try {
      return (await this.#client.request(request, AbortSignal.timeout(EXCHANGE_MS))).json;
    } catch (cause) {
      if (cause instanceof ProviderError) throw cause;
      throw new ProviderError('transient', 'Shopify issued no access token in time.', { cause });
    }
  }

  #isFresh({ accessToken, expiresAt }: RenewableCredentials): boolean {
    if (accessToken === undefined || expiresAt === undefined) return false;
    return Date.parse(expiresAt) - this.#clock.now().getTime() > MARGIN_MS;
  }

  /** Fresh, and not what was used last. */
  #isNew(credentials: ShopifyCredentials): boolean {
    if (!isRenewable(credentials) || credentials.accessToken === this.#lastUsed) return false;
    return this.#isFresh(credentials);
  }
}

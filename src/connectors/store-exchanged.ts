import { isDeepStrictEqual } from 'node:util';
import type { CredentialStore } from './connector.ts';
import { ProviderError } from './provider-error.ts';

/** Of all that may be written at once, more is not believed to be chance. */
const TRIES_MAX = 5;

/**
 * Stores what `before` was exchanged for.
 * @returns false when somebody else's credentials are there now: theirs count
 * @throws ProviderError when they are written by others again and again
 */
export async function storeExchanged<Credentials>(
  store: CredentialStore<Credentials>,
  before: Credentials,
  next: Credentials,
): Promise<boolean> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
    if (!isDeepStrictEqual(await store.read(), before)) return false;
    // False with the same content: it was encrypted anew meanwhile.
    if (await store.replace(next)) return true;
  }
  throw new ProviderError('transient', 'The new credentials could not be stored.');
}

import { z } from 'zod';
import type { Connector, CredentialStore, OpenConnection } from '../connectors/connector.ts';
import { ProviderError } from '../connectors/provider-error.ts';
import {
  CONNECTION_SECRETS,
  readCredentials,
  replaceCredentials,
  type StoredConnection,
} from '../repositories/connections.ts';
import type { SecretCipher } from '../secrets/index.ts';
import type { ConnectionDeps } from './deps.ts';

/** @throws ProviderError when this release does not know its provider. @throws ZodError for what another release stored */
export function openStored(deps: ConnectionDeps, connection: StoredConnection): OpenConnection {
  const connector = connectorOf(deps, connection.provider);
  if (!connector) throw new ProviderError('bad_request', `This release knows no ${connection.provider}.`);
  const credentials = storedCredentials(deps, connection.id);
  return open(deps, connector, connection.config, credentials);
}

/** An account that is not stored yet: what replaces its credentials meanwhile is kept beside. */
export function openGiven(
  deps: ConnectionDeps,
  connector: Connector,
  given: { readonly config: unknown; readonly credentials: unknown },
): { readonly connection: OpenConnection; latest(): unknown } {
  let latest = given.credentials;
  const store: CredentialStore<unknown> = {
    read: () => Promise.resolve(latest),
    replace: (next) => {
      latest = next;
      return Promise.resolve(true);
    },
  };
  return { connection: open(deps, connector, given.config, store), latest: () => latest };
}

export function connectorOf({ connectors }: ConnectionDeps, provider: string): Connector | null {
  return Object.hasOwn(connectors, provider) ? (connectors[provider] ?? null) : null;
}

function open(
  { clock, baseUrls }: ConnectionDeps,
  connector: Connector,
  config: unknown,
  credentials: CredentialStore<unknown>,
): OpenConnection {
  const baseUrl = Object.hasOwn(baseUrls, connector.provider) ? baseUrls[connector.provider] : undefined;
  return connector.open({ config, credentials, clock, baseUrl });
}

/** Credentials in their row: of two processes that renew them at once, one writes. */
function storedCredentials({ db, cipher }: ConnectionDeps, id: string): CredentialStore<unknown> {
  let seen: string | null = null;
  return {
    async read() {
      seen = await readCredentials(db, id);
      if (seen === null) throw new ProviderError('auth_expired', 'The account is disconnected.');
      return decryptCredentials(cipher, id, seen);
    },
    async replace(next) {
      if (seen === null) return false;
      const after = encryptCredentials(cipher, id, next);
      const isWritten = await replaceCredentials(db, id, { before: seen, after });
      if (isWritten) seen = after;
      return isWritten;
    },
  };
}

const place = (rowId: string) => ({
  table: CONNECTION_SECRETS.table,
  column: CONNECTION_SECRETS.credentials,
  rowId,
});

export function encryptCredentials(cipher: SecretCipher, id: string, credentials: unknown): string {
  return cipher.encrypt(JSON.stringify(credentials), place(id));
}

export function decryptCredentials(cipher: SecretCipher, id: string, ciphertext: string): unknown {
  return z.unknown().parse(JSON.parse(cipher.decrypt(ciphertext, place(id))));
}

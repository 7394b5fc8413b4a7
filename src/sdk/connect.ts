import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import { BeginConnectDocument, type BeginConnectInput } from './generated/graphql.ts';

/** Where a person allows access, and until when (ISO 8601) they may come back. */
export interface BegunConnect {
  readonly url: string;
  readonly expiresAt: string;
}

/** Sends a person to a provider: open `url` in a browser. @throws MillraceUserError for a person's mistake */
export async function beginConnect(
  execute: Execute,
  input: BeginConnectInput,
  options?: CallOptions,
): Promise<BegunConnect> {
  const { beginConnect: payload } = await execute(BeginConnectDocument, { input }, options);
  throwUserErrors(payload);
  const { url, expiresAt } = payload;
  if (url == null || expiresAt == null)
    throw new MillraceError('The server named no address and gave no reason.');
  return { url, expiresAt };
}

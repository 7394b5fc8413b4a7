import { createHash, randomBytes } from 'node:crypto';
import type { Connector } from '../connectors/connector.ts';
import type { OAuthFlow } from '../connectors/oauth.ts';
import { ProviderError } from '../connectors/provider-error.ts';
import { UserFacingError } from '../domain/errors.ts';
import { newUuid } from '../domain/ids.ts';
import type { OAuthApp, OAuthApps } from '../domain/oauth-app.ts';
import { toError, withTimeout } from '../lib/abort.ts';
import {
  ATTEMPT_SECRETS,
  insertAttempt,
  OPEN_ATTEMPTS_MAX,
  takeAttempt,
  type TakenAttempt,
} from '../repositories/connect-attempts.ts';
import { findAnyConnection, findConnection } from '../repositories/connections.ts';
import { connectAccount } from './connect.ts';
import type { ConnectionDeps } from './deps.ts';
import { reconnect } from './manage.ts';
import { connectorOf } from './open.ts';

export interface OAuthDeps extends ConnectionDeps {
  readonly apps: OAuthApps;
  /** Where providers send people back to; known once the server listens */
  readonly redirectUri: () => string;
}

/** A person has so long to allow it, in ms. */
const ATTEMPT_MS = 10 * 60_000;
/** A code is exchanged within, in ms. */
const EXCHANGE_MS = 10_000;
/** 256 bits: nobody guesses a state, and its hash tells nothing of it. RFC 7636 asks for as much of a verifier. */
const RANDOM_BYTES = 32;

export interface BeginRequest {
  readonly organizationId: string;
  /** As `triggeredBy` of a job */
  readonly createdBy: string;
  readonly provider: string;
  readonly config?: unknown;
  /** uuid of a connection that gets new credentials; absent: a new one is made */
  readonly connectionId?: string | undefined;
}

/**
 * Sends a person to a provider, to allow access there.
 * @returns where to, and until when they may come back
 * @throws UserFacingError for all that a person can mend
 */
export async function beginConnect(
  deps: OAuthDeps,
  request: BeginRequest,
): Promise<{ readonly url: string; readonly expiresAt: Date }> {
  const { db, cipher, clock, baseUrls } = deps;
  const { organizationId, createdBy, provider, connectionId = null } = request;
  const { connector, flow, app } = flowOf(deps, provider);
  const config = await configOf(deps, connector, request);
  const [state, verifier] = [secret(), secret()];
  const id = newUuid();
  const expiresAt = new Date(clock.now().getTime() + ATTEMPT_MS);
  const attempt = { id, organizationId, provider, config, connectionId, createdBy, expiresAt };
  const encrypted = cipher.encrypt(verifier, place(id));
  const isOpen = await insertAttempt(db, hashOf(state), { ...attempt, verifier: encrypted });
  if (!isOpen) throw tooMany();
  const url = flow.authorizeUrl({
    app,
    config,
    redirectUri: deps.redirectUri(),
    state,
    codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    baseUrl: baseUrlOf(baseUrls, provider),
  });
  return { url: url.href, expiresAt };
}

/** How it ended for the person who came back. */
export type FinishedConnect =
  | { readonly type: 'connected'; readonly label: string; readonly organizationName: string }
  /** The state is none of ours, was used, or is too old */
  | { readonly type: 'unknown' }
  /** The person, or the provider, said no; `code` as RFC 6749 §4.1.2.1 has it */
  | { readonly type: 'denied'; readonly title: string; readonly code: string }
  /** What came back is not what this provider sends */
  | { readonly type: 'mismatch'; readonly title: string }
  /** It was allowed, and did not come to a connection; `message` is for people */
  | { readonly type: 'failed'; readonly title: string; readonly message: string };

/** Takes a person back: with what they allowed, an account is connected. @param query as the provider sent them */
export async function finishConnect(deps: OAuthDeps, query: URLSearchParams): Promise<FinishedConnect> {
  const attempt = await takeAttempt(deps.db, hashOf(query.get('state') ?? ''));
  if (!attempt || attempt.expiresAt <= deps.clock.now()) return { type: 'unknown' };
  const connector = connectorOf(deps, attempt.provider);
  const flow = connector?.oauth;
  const app = appOf(deps.apps, attempt.provider);
  if (!connector || !flow || !app) return { type: 'unknown' };
  const { title } = connector;
  const denial = query.get('error');
  if (denial !== null) return { type: 'denied', title, code: denial };
  const code = query.get('code');
  if (!code || !flow.isGenuine({ app, config: attempt.config, query })) return { type: 'mismatch', title };
  try {
    const credentials = await exchange(deps, { flow, app, attempt, code });
    const label = await connect(deps, attempt, credentials);
    return { type: 'connected', label, organizationName: attempt.organizationName };
  } catch (error) {
    const message = messageOf(error);
    if (message === null) throw error;
    deps.log.info({ err: error, provider: attempt.provider }, 'what was allowed came to no connection');
    return { type: 'failed', title, message };
  }
}

interface Exchange {
  readonly flow: OAuthFlow;
  readonly app: OAuthApp;
  readonly attempt: TakenAttempt;
  readonly code: string;
}

function exchange(deps: OAuthDeps, { flow, app, attempt, code }: Exchange): Promise<unknown> {
  const { cipher, clock, baseUrls } = deps;
  return flow.exchange({
    app,
    config: attempt.config,
    code,
    codeVerifier: cipher.decrypt(attempt.verifier, place(attempt.id)),
    redirectUri: deps.redirectUri(),
    clock,
    baseUrl: baseUrlOf(baseUrls, attempt.provider),
    signal: withTimeout(EXCHANGE_MS),
  });
}

/** @returns the label of what is connected now */
async function connect(deps: OAuthDeps, attempt: TakenAttempt, credentials: unknown): Promise<string> {
  const { organizationId, createdBy, provider, config } = attempt;
  let { connectionId } = attempt;
  if (connectionId === null) {
    const request = { organizationId, createdBy, provider, config, credentials };
    ({ connectionId } = await connectAccount(deps, request));
  } else {
    const target = { organizationId, id: connectionId, by: createdBy };
    await reconnect(deps, target, { config, credentials });
  }
  return (await findConnection(deps.db, organizationId, connectionId))?.label ?? '';
}

/** Null for a defect of ours. */
function messageOf(error: unknown): string | null {
  if (error instanceof UserFacingError || error instanceof ProviderError) return error.message;
  return toError(error).name === 'TimeoutError' ? 'The provider did not answer in time.' : null;
}

function flowOf(
  deps: OAuthDeps,
  provider: string,
): { readonly connector: Connector; readonly flow: OAuthFlow; readonly app: OAuthApp } {
  const at = ['input', 'provider'];
  const connector = connectorOf(deps, provider);
  if (!connector) throw UserFacingError.of('NOT_FOUND', at, 'There is no such provider.');
  const { title, oauth: flow } = connector;
  if (!flow) throw UserFacingError.of('INVALID', at, `${title} is connected by keys: use connectAccount.`);
  const app = appOf(deps.apps, provider);
  if (!app) {
    const message = `No app of ${title} is configured here: use connectAccount, or ask whoever runs this installation.`;
    throw UserFacingError.of('NOT_ALLOWED', at, message);
  }
  return { connector, flow, app };
}

/** What is entered now, else what the connection has. */
async function configOf(
  { db }: OAuthDeps,
  connector: Connector,
  { organizationId, provider, config, connectionId }: BeginRequest,
): Promise<unknown> {
  const known = connectionId === undefined ? null : await findAnyConnection(db, organizationId, connectionId);
  if (connectionId !== undefined && known?.provider !== provider) throw noSuchConnection();
  const parsed = connector.config.safeParse(config ?? known?.config ?? {});
  if (parsed.success) return parsed.data;
  throw new UserFacingError(
    parsed.error.issues.map(({ path, message }) => ({
      code: 'INVALID',
      field: ['input', 'config', ...path.map(String)],
      message,
    })),
  );
}

function appOf(apps: OAuthApps, provider: string): OAuthApp | null {
  return Object.hasOwn(apps, provider) ? (apps[provider] ?? null) : null;
}

function baseUrlOf(baseUrls: Readonly<Record<string, string>>, provider: string): string | undefined {
  return Object.hasOwn(baseUrls, provider) ? baseUrls[provider] : undefined;
}

function secret(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url');
}

function hashOf(state: string): Buffer {
  return createHash('sha256').update(state).digest();
}

function place(rowId: string) {
  return { table: ATTEMPT_SECRETS.table, column: ATTEMPT_SECRETS.verifier, rowId };
}

function noSuchConnection(): UserFacingError {
  return UserFacingError.of('NOT_FOUND', ['input', 'connectionId'], 'There is no such connection.');
}

function tooMany(): UserFacingError {
  const message = `At most ${OPEN_ATTEMPTS_MAX} people can be away at providers at once. Try again in ten minutes.`;
  return UserFacingError.of('LIMIT_REACHED', null, message);
}

import type { z } from 'zod';
import type { Account, Connector } from '../connectors/connector.ts';
import { ProviderError } from '../connectors/provider-error.ts';
import { UserFacingError, type UserError, type UserErrorCode } from '../domain/errors.ts';
import { newUuid } from '../domain/ids.ts';
import { addDays, dateIn } from '../domain/period.ts';
import { toError, withTimeout } from '../lib/abort.ts';
import {
  CONNECTIONS_MAX,
  countConnections,
  findAccount,
  insertConnection,
  lockConnections,
  noteEntities,
  renewConnection,
  type AccountRow,
  type EntityRow,
} from '../repositories/connections.ts';
import type { Tx } from '../repositories/db.ts';
import type { ConnectionDeps } from './deps.ts';
import { connectorOf, encryptCredentials, openGiven } from './open.ts';

/** A provider is asked once, and has so long to answer, in ms. */
const CHECK_MS = 10_000;
/** Days before today that a first sync reads, unless told otherwise: the year that the dashboard can show, and a month. */
const BACKFILL_DAYS = 396;

export interface ConnectRequest {
  readonly organizationId: string;
  /** As `triggeredBy` of a job */
  readonly createdBy: string;
  readonly provider: string;
  readonly config: unknown;
  readonly credentials: unknown;
  /** The oldest day that is read, YYYY-MM-DD */
  readonly syncFrom?: string | undefined;
}

/**
 * Checks the credentials at the provider, stores them encrypted, and lets the first sync be due. An account that was
 * disconnected before lives again, with all that was read of it.
 * @throws UserFacingError for all that a person can mend; nothing is stored then
 */
export async function connectAccount(
  deps: ConnectionDeps,
  request: ConnectRequest,
): Promise<{ readonly connectionId: string }> {
  const { organizationId } = request;
  const checked = await checkAccount(deps, request);
  const id = newUuid();
  const connectionId = await deps.db.transaction(async (tx) => {
    await lockConnections(tx, organizationId);
    const known = await findAccount(tx, organizationId, checked.account);
    if (known && !known.isDisconnected) throw alreadyConnected(known.label);
    if ((await countConnections(tx, organizationId)) >= CONNECTIONS_MAX) throw tooMany();
    if (known) {
      await renew(tx, deps, { organizationId, connectionId: known.id }, checked);
      return known.id;
    }
    const syncFrom = request.syncFrom ?? addDays(dateIn('UTC', deps.clock.now()), -BACKFILL_DAYS);
    const { createdBy } = request;
    const row = { ...rowOf(deps, id, checked), id, organizationId, createdBy, syncFrom };
    await insertConnection(tx, { ...row, entities: checked.entities });
    return id;
  });
  return { connectionId };
}

export interface ReconnectRequest {
  readonly organizationId: string;
  readonly connectionId: string;
  readonly provider: string;
  readonly config: unknown;
  readonly credentials: unknown;
}

/**
 * New credentials for a connection that is there. One that is paused stays so.
 * @throws UserFacingError, also for credentials of another account
 */
export async function reconnectAccount(deps: ConnectionDeps, request: ReconnectRequest): Promise<void> {
  const { organizationId, connectionId } = request;
  const checked = await checkAccount(deps, request);
  await deps.db.transaction(async (tx) => {
    await lockConnections(tx, organizationId);
    const known = await findAccount(tx, organizationId, checked.account);
    if (known?.id !== connectionId) throw anotherAccount(checked.account.label);
    await renew(tx, deps, { organizationId, connectionId }, checked);
  });
}

interface CheckedAccount {
  readonly account: Omit<AccountRow, 'credentials'>;
  readonly credentials: unknown;
  readonly entities: readonly EntityRow[];
}

async function checkAccount(
  deps: ConnectionDeps,
  { provider, config, credentials }: Pick<ConnectRequest, 'provider' | 'config' | 'credentials'>,
): Promise<CheckedAccount> {
  const connector = connectorOf(deps, provider);
  if (!connector) throw UserFacingError.of('NOT_FOUND', ['input', 'provider'], 'There is no such provider.');
  const given = parseGiven(connector, { config, credentials });
  const { connection, latest } = openGiven(deps, connector, given);
  const account = await ask(deps, connector, (signal) => connection.check(signal));
  const entities = connection.entities.map((name) => ({
    name,
    feeds: connector.entities[name]?.feeds ?? null,
  }));
  return {
    account: {
      provider,
      accountKey: account.id,
      label: account.label,
      config: given.config,
      timeZone: account.timeZone,
      currency: account.currency,
      missingScopes: account.missingScopes,
    },
    credentials: latest(),
    entities,
  };
}

/** @throws UserFacingError that names every field which is wrong */
function parseGiven(
  connector: Connector,
  given: { readonly config: unknown; readonly credentials: unknown },
): { config: unknown; credentials: unknown } {
  const config = connector.config.safeParse(given.config ?? {});
  const credentials = connector.credentials.safeParse(given.credentials);
  if (config.success && credentials.success) return { config: config.data, credentials: credentials.data };
  throw new UserFacingError([
    ...mistakesOf('config', config.error),
    ...mistakesOf('credentials', credentials.error),
  ]);
}

function mistakesOf(field: string, error: z.ZodError | undefined): UserError[] {
  return (error?.issues ?? []).map(({ path, message }) => ({
    code: 'INVALID',
    field: ['input', field, ...path.map(String)],
    message,
  }));
}

async function ask(
  { log }: ConnectionDeps,
  { provider, title }: Connector,
  check: (signal: AbortSignal) => Promise<Account>,
): Promise<Account> {
  try {
    return await check(withTimeout(CHECK_MS));
  } catch (error) {
    log.info({ err: toError(error), provider }, 'an account could not be connected');
    if (error instanceof ProviderError) throw asUserError(error);
    if (toError(error).name === 'TimeoutError')
      throw UserFacingError.of('UNAVAILABLE', ['input'], `${title} did not answer in time. Try again.`);
    throw error;
  }
}

const CODES: Readonly<Record<ProviderError['kind'], UserErrorCode>> = {
  auth_expired: 'INVALID',
  forbidden_scope: 'NOT_ALLOWED',
  rate_limited: 'RATE_LIMITED',
  transient: 'UNAVAILABLE',
  bad_request: 'INVALID',
};

function asUserError({ kind, message }: ProviderError): UserFacingError {
  const isCredentials = kind === 'auth_expired' || kind === 'forbidden_scope';
  return UserFacingError.of(CODES[kind], ['input', ...(isCredentials ? ['credentials'] : [])], message);
}

function rowOf({ cipher }: ConnectionDeps, id: string, { account, credentials }: CheckedAccount): AccountRow {
  return { ...account, credentials: encryptCredentials(cipher, id, credentials) };
}

async function renew(
  tx: Tx,
  deps: ConnectionDeps,
  { organizationId, connectionId }: Pick<ReconnectRequest, 'organizationId' | 'connectionId'>,
  checked: CheckedAccount,
): Promise<void> {
  const row = rowOf(deps, connectionId, checked);
  if (!(await renewConnection(tx, organizationId, connectionId, row))) throw noSuchConnection();
  await noteEntities(tx, organizationId, connectionId, checked.entities);
}

export function noSuchConnection(): UserFacingError {
  return UserFacingError.of('NOT_FOUND', ['id'], 'There is no such connection.');
}

function alreadyConnected(label: string): UserFacingError {
  const message = `The account "${label}" is connected already. Reconnect it to give it new credentials.`;
  return UserFacingError.of('CONFLICT', ['input'], message);
}

function anotherAccount(label: string): UserFacingError {
  const message = `These credentials are of another account, "${label}". Connect it as a new one.`;
  return UserFacingError.of('CONFLICT', ['input', 'credentials'], message);
}

function tooMany(): UserFacingError {
  const message = `An organization has at most ${CONNECTIONS_MAX} connections. Disconnect one first.`;
  return UserFacingError.of('LIMIT_REACHED', null, message);
}

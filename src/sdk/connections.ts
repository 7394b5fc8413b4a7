import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import { beginConnect, type BegunConnect } from './connect.ts';
import * as operations from './generated/graphql.ts';

export type Connection = operations.ConnectionFieldsFragment;
/** With the job that is reading it now. */
export type ConnectionDetails = NonNullable<operations.GetConnectionQuery['connection']>;
export type ConnectionPage = operations.ListConnectionsQuery['connections'];
export type Provider = operations.ListProvidersQuery['providers'][number];

/** Accounts at providers. All that changes one is for admins, and throws MillraceUserError for a person's mistake. */
export interface Connections {
  /** At whom accounts can be connected, and what each takes. */
  providers(options?: CallOptions): Promise<readonly Provider[]>;
  list(variables?: operations.ListConnectionsQueryVariables, options?: CallOptions): Promise<ConnectionPage>;
  /** Null for what does not exist. */
  get(id: string, options?: CallOptions): Promise<ConnectionDetails | null>;
  /** Checked at the provider first; its first sync starts at once. */
  connect(input: operations.ConnectAccountInput, options?: CallOptions): Promise<Connection>;
  /** The same without a key, where the provider's `canBegin` is true: a person allows it at the address that comes back. */
  begin(input: operations.BeginConnectInput, options?: CallOptions): Promise<BegunConnect>;
  /** New credentials for the same account. */
  reconnect(id: string, input: operations.ReconnectAccountInput, options?: CallOptions): Promise<Connection>;
  update(id: string, input: operations.UpdateConnectionInput, options?: CallOptions): Promise<Connection>;
  pause(id: string, options?: CallOptions): Promise<Connection>;
  resume(id: string, options?: CallOptions): Promise<Connection>;
  /** @param options `deleteData`: all that was read is deleted too, for good */
  disconnect(id: string, options?: CallOptions & { readonly deleteData?: boolean }): Promise<void>;
}

export function createConnections(execute: Execute): Connections {
  return {
    providers: async (options) => (await execute(operations.ListProvidersDocument, {}, options)).providers,
    list: async (variables = {}, options) =>
      (await execute(operations.ListConnectionsDocument, variables, options)).connections,
    get: async (id, options) => (await execute(operations.GetConnectionDocument, { id }, options)).connection,
    connect: async (input, options) =>
      connectionOf((await execute(operations.ConnectAccountDocument, { input }, options)).connectAccount),
    begin: (input, options) => beginConnect(execute, input, options),
    reconnect: async (id, input, options) =>
      connectionOf(
        (await execute(operations.ReconnectAccountDocument, { id, input }, options)).reconnectAccount,
      ),
    update: async (id, input, options) =>
      connectionOf(
        (await execute(operations.UpdateConnectionDocument, { id, input }, options)).updateConnection,
      ),
    pause: async (id, options) =>
      connectionOf((await execute(operations.PauseConnectionDocument, { id }, options)).pauseConnection),
    resume: async (id, options) =>
      connectionOf((await execute(operations.ResumeConnectionDocument, { id }, options)).resumeConnection),
    async disconnect(id, { deleteData = false, ...options } = {}) {
      const variables = { id, deleteData };
      throwUserErrors(
        (await execute(operations.DisconnectAccountDocument, variables, options)).disconnectAccount,
      );
    },
  };
}

function connectionOf(payload: operations.ChangedConnectionFieldsFragment): Connection {
  throwUserErrors(payload);
  if (!payload.connection) throw new MillraceError('The server changed no connection and gave no reason.');
  return payload.connection;
}

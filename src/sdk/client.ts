import { createAgents, type Agents } from './agents.ts';
import { createApiKeys, type ApiKeys } from './api-keys.ts';
import { createConnections, type Connections } from './connections.ts';
import { createLiveDashboard, type LiveDashboard } from './dashboard-live.ts';
import { errorOf } from './errors.ts';
import {
  GetDashboardDocument,
  ListProductsDocument,
  ViewerDocument,
  type GetDashboardQuery,
  type ListProductsQuery,
  type ListProductsQueryVariables,
  type PeriodInput,
  type ViewerQuery,
} from './generated/graphql.ts';
import { request } from './http.ts';
import { createInsights, type Insights } from './insights.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createMembers, type Members } from './members.ts';
import { createOrganizationApi, type OrganizationApi } from './organization.ts';
import { createQueues, type Queues } from './queues.ts';
import { createSchedules, type Schedules } from './schedules.ts';
import { createNotifications, type Notifications } from './notifications.ts';
import { createActivity, type ActivityApi } from './activity.ts';
import { createPanelRows, type PanelRows } from './panel-rows.ts';
import { createSocketTransport } from './socket.ts';
import { createSseTransport } from './sse.ts';
import type { Connection, FetchLike, TypedOperation, WireRequest } from './transport.ts';
import {
  contentTypeOf,
  createUploads,
  type UploadBody,
  type UploadFileOptions,
  type Uploads,
} from './uploads.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

export interface ClientOptions {
  /** Address of `/graphql`, e.g. `http://127.0.0.1:4000/graphql` */
  readonly url: string;
  /**
   * Asked anew for each request and connection when it is a function. A stream whose token is over then goes on with the
   * next one
   */
  readonly token: string | (() => string | Promise<string>);
  /** Id, or the identity provider's name, of the organization that is meant: for who is in several */
  readonly organization?: string | undefined;
  /** For subscriptions over WebSocket where there is no global one: Node before 22 takes `WebSocket` of the package ws */
  readonly webSocketImpl?: unknown;
  /** Default: the global fetch */
  readonly fetch?: FetchLike;
  /** A request without an answer for so long fails, in ms; default 30,000. Streams and uploads have no such limit */
  readonly timeoutMs?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface StreamOptions extends CallOptions {
  /** Default: ws where there is a WebSocket, else sse */
  readonly transport?: 'ws' | 'sse' | undefined;
}

/** Runs a query or mutation. @throws MillraceError, MillraceConnectionError, or the signal's reason */
export type Execute = <Result, Variables extends object>(
  operation: TypedOperation<Result, Variables>,
  variables: Variables,
  options?: CallOptions,
) => Promise<Result>;

/** Runs a subscription over one connection; a broken link ends it with MillraceConnectionError. */
export type SubscribeTyped = <Result, Variables extends object>(
  operation: TypedOperation<Result, Variables>,
  variables: Variables,
  options?: StreamOptions,
) => AsyncIterable<Result>;

export interface MillraceClient {
  /** Any operation; documents made by codegen bring the types of variables and answer. */
  readonly execute: Execute;
  readonly subscribe: SubscribeTyped;
  readonly jobs: Jobs;
  readonly schedules: Schedules;
  readonly notifications: Notifications;
  readonly webhooks: Webhooks;
  readonly uploads: Uploads;
  readonly queues: Queues;
  readonly insights: Insights;
  readonly organization: OrganizationApi;
  readonly members: Members;
  readonly apiKeys: ApiKeys;
  readonly agents: Agents;
  /** Uploads a file. @returns the upload's id, for a FileSource */
  uploadFile(body: UploadBody, filename: string, options?: UploadFileOptions): Promise<string>;
  /** Who did what; for admins */
  readonly activity: ActivityApi;
  readonly panelRows: PanelRows;
  readonly liveDashboard: LiveDashboard;
  readonly connections: Connections;
  /** Six panels, each with its own state; default: the last 30 days. `compare` adds the period before to each. */
  dashboard(
    period?: PeriodInput,
    options?: CallOptions & { readonly compare?: boolean },
  ): Promise<GetDashboardQuery['dashboard']>;
  products(
    variables?: ListProductsQueryVariables,
    options?: CallOptions,
  ): Promise<ListProductsQuery['products']>;
  /** Who the token is, and what it may. */
  viewer(options?: CallOptions): Promise<ViewerQuery['viewer']>;
  /** Closes the WebSocket, if one is open; streams over it end with an error. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;

/** A client of one Millrace server. It holds nothing open until something is subscribed to. */
export function createClient(options: ClientOptions): MillraceClient {
  const { token, timeoutMs = TIMEOUT_MS, webSocketImpl } = options;
  const connection: Connection = {
    url: options.url,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    token: () => (typeof token === 'function' ? token() : token),
    organization: options.organization,
  };
  const socket = createSocketTransport(connection, webSocketImpl);
  const sse = createSseTransport(connection);
  const transportOf = (wanted: StreamOptions['transport']) => {
    const hasSocket = webSocketImpl !== undefined || 'WebSocket' in globalThis;
    return (wanted ?? (hasSocket ? 'ws' : 'sse')) === 'ws' ? socket.subscribe : sse;
  };

  const execute: Execute = async (operation, variables, { signal } = {}) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const data = await request(
      connection,
      wire(operation, variables),
      signal ? AbortSignal.any([signal, limit]) : limit,
    );
    return answerOf(operation, data);
  };
  const subscribe: SubscribeTyped = async function* (operation, variables, { signal, transport } = {}) {
    for await (const { data, errors } of transportOf(transport)(wire(operation, variables), signal)) {
      if (errors && errors.length > 0) throw errorOf(errors);
      yield answerOf(operation, data);
    }
  };
  const uploads = createUploads(execute, connection.fetch);

  return {
    execute,
    subscribe,
    jobs: createJobs(execute, subscribe, typeof token === 'function'),
    schedules: createSchedules(execute),
    notifications: createNotifications(execute, subscribe),
    webhooks: createWebhooks(execute),
    uploads,
    queues: createQueues(execute),
    insights: createInsights(execute),
    organization: createOrganizationApi(execute),
    members: createMembers(execute),
    apiKeys: createApiKeys(execute),
    agents: createAgents(execute),
    activity: createActivity(execute),
    panelRows: createPanelRows(execute),
    liveDashboard: createLiveDashboard(execute, subscribe, typeof token === 'function'),
    connections: createConnections(execute),
    async uploadFile(body, filename, { contentType, byteSize, ...call } = {}) {
      const input = {
        filename,
        contentType: contentType ?? contentTypeOf(filename),
        byteSize: byteSize ?? null,
      };
      const upload = await uploads.create(input, call);
      await uploads.put(upload, body, call);
      return upload.id;
    },
    dashboard: async (period, { compare = false, ...call } = {}) =>
      (await execute(GetDashboardDocument, { period: period ?? null, compare }, call)).dashboard,
    products: async (variables = {}, call) => (await execute(ListProductsDocument, variables, call)).products,
    viewer: async (call) => (await execute(ViewerDocument, {}, call)).viewer,
    close: () => socket.close(),
  };
}

function wire(operation: { toString(): string }, variables: object): WireRequest {
  return { query: operation.toString(), variables };
}

/** The one place that trusts the server: it validated the operation against the schema that the types were made from. */
function answerOf<Result>(_operation: TypedOperation<Result, never>, data: unknown): Result {
  return data as Result;
}

import { z } from 'zod';

/** One limit of the API, as an operator sets it. */
export interface ApiLimit {
  /** In the environment */
  readonly variable: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

const KIB = 1024;

/** What one caller may ask for. Whatever is beyond is refused with a text that names the limit, never cut silently. */
export const API_LIMITS = {
  /** Fields below fields; introspection is not counted */
  depth: { variable: 'LIMIT_DEPTH', default: 16, min: 4, max: 100 },
  /** In one document */
  aliases: { variable: 'LIMIT_ALIASES', default: 100, min: 0, max: 10_000 },
  /** In one document */
  directives: { variable: 'LIMIT_DIRECTIVES', default: 50, min: 0, max: 10_000 },
  /** Lexical tokens of one document */
  tokens: { variable: 'LIMIT_TOKENS', default: 4_000, min: 100, max: 100_000 },
  /** Points of one operation: an object costs 1, a list as many as it may hold, times what each holds in turn */
  cost: { variable: 'LIMIT_COST', default: 100_000, min: 100, max: 10_000_000 },
  /** Points of one key or person, as an average over ten seconds */
  pointsPerSecond: { variable: 'LIMIT_POINTS_PER_SECOND', default: 50_000, min: 10, max: 1_000_000 },
  /** Nodes on a page; a page that does not say how many has 50 */
  pageSize: { variable: 'LIMIT_PAGE_SIZE', default: 100, min: 50, max: 1_000 },
  /** A GraphQL request's body, in bytes */
  bodyBytes: { variable: 'LIMIT_BODY_BYTES', default: KIB * KIB, min: KIB, max: 64 * KIB * KIB },
  /** Operations in one request; 0: no lists of operations */
  batchSize: { variable: 'LIMIT_BATCH_SIZE', default: 10, min: 0, max: 100 },
  /** One WebSocket message, in bytes */
  messageBytes: { variable: 'LIMIT_MESSAGE_BYTES', default: 128 * KIB, min: KIB, max: 16 * KIB * KIB },
  /** Operations under way on one WebSocket */
  operationsPerSocket: { variable: 'LIMIT_OPERATIONS_PER_SOCKET', default: 100, min: 1, max: 10_000 },
  /** WebSockets of one organization that an API process holds */
  socketsPerOrganization: {
    variable: 'LIMIT_SOCKETS_PER_ORGANIZATION',
    default: 2_000,
    min: 1,
    max: 100_000,
  },
  /** Live subscriptions of one organization that an API process serves, over whichever transport */
  subscriptionsPerOrganization: {
    variable: 'LIMIT_SUBSCRIPTIONS_PER_ORGANIZATION',
    default: 5_000,
    min: 1,
    max: 1_000_000,
  },
  /** A query or mutation takes no longer, in seconds */
  operationSeconds: { variable: 'LIMIT_OPERATION_SECONDS', default: 30, min: 1, max: 600 },
  /** A client is done with sending its request after this long, in seconds */
  requestSeconds: { variable: 'LIMIT_REQUEST_SECONDS', default: 30, min: 1, max: 600 },
  /** A WebSocket has said who it is after this long, in seconds */
  connectionInitSeconds: { variable: 'LIMIT_CONNECTION_INIT_SECONDS', default: 5, min: 1, max: 60 },
} as const satisfies Record<string, ApiLimit>;

export type ApiLimits = { readonly [K in keyof typeof API_LIMITS]: number };

/** Nodes on a page that does not say how many. */
export const PAGE_SIZE_DEFAULT = API_LIMITS.pageSize.min;

type LimitName = keyof ApiLimits;

const isLimitName = (name: string): name is LimitName => Object.hasOwn(API_LIMITS, name);
const LIMIT_NAMES = Object.keys(API_LIMITS).filter(isLimitName);

/** The variables as an environment has them; each absent one is its default. */
export const limitVariables = z.object(
  Object.fromEntries(
    Object.values(API_LIMITS).map(({ variable, min, max, default: preset }) => [
      variable,
      z.coerce.number().int().min(min).max(max).default(preset),
    ]),
  ),
);

const limits = z.record(z.enum(LIMIT_NAMES), z.number());

/** @param variables parsed by `limitVariables` */
export function toApiLimits(variables: z.infer<typeof limitVariables>): ApiLimits {
  return limits.parse(
    Object.fromEntries(LIMIT_NAMES.map((name) => [name, variables[API_LIMITS[name].variable]])),
  );
}

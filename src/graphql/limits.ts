/** Nodes on a page that does not say how many. */
export const PAGE_SIZE_DEFAULT = 50;
/** Nodes on a page at most; asking for more is an error, never a silent cut. */
export const PAGE_SIZE_MAX = 100;
/** Lists are counted exactly up to here; beyond it a total is null. */
export const TOTAL_COUNT_MAX = 10_000;
/** Shorter searches would read the whole table: the index knows three characters and more. */
export const SEARCH_LENGTH_MIN = 3;
export const SEARCH_LENGTH_MAX = 200;

/** A request's body, in bytes. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** One WebSocket message, in bytes. */
export const MESSAGE_BYTES_MAX = 128 * 1024;
/** Lexical tokens of one document. */
export const DOCUMENT_TOKENS_MAX = 4_000;
/** Fields below fields; introspection is not counted. */
export const DEPTH_MAX = 16;
/** Aliases in one document. */
export const ALIASES_MAX = 100;
/** Operations under way on one WebSocket. */
export const OPERATIONS_PER_SOCKET_MAX = 100;
/** A socket that does not say who it is within this time is closed. */
export const CONNECTION_INIT_TIMEOUT_MS = 5_000;

import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Sql } from '../repositories/db.ts';
import type { UrlSigner } from '../secrets/index.ts';
import type { Storage } from '../storage/storage.ts';

/** What the routes that move files need. */
export interface FileRouteDeps {
  readonly db: Sql;
  readonly storage: Storage;
  readonly signer: UrlSigner;
  readonly limits: {
    readonly uploadBytesMax: number;
    /** A client that moves no byte for so long is cut off, in ms; default 30,000 */
    readonly idleTimeoutMs?: number;
  };
  readonly log: Log;
  /** Default: the system's */
  readonly clock?: Clock;
}

export const IDLE_TIMEOUT_MS = 30_000;

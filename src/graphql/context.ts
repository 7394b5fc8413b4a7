import type { Accounts } from '../auth/accounts.ts';
import type { AuditTrail } from '../auth/audit-trail.ts';
import type { Principal } from '../auth/principal.ts';
import type { Allowance } from '../auth/rate-limiter.ts';
import type { Session } from '../auth/sessions.ts';
import type { ConnectionDeps } from '../connections/deps.ts';
import type { OAuthDeps } from '../connections/oauth.ts';
import type { Origin } from '../domain/activity.ts';
import type { ApiLimits } from '../domain/api-limits.ts';
import type { JobStreams } from '../events/job-streams.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { WebhookDeps } from '../notify/webhook-endpoints.ts';
import type { Panels } from '../panels/index.ts';
import type { JobDeps } from '../queue/deps.ts';
import type { Database } from '../repositories/db.ts';
import type { PrismaClient } from '../repositories/prisma.ts';
import type { UrlSigner } from '../secrets/index.ts';
import type { Storage } from '../storage/storage.ts';

/** What a process has once, and every operation uses. */
export interface ApiServices {
  readonly db: Database;
  /** On the same pool */
  readonly prisma: PrismaClient;
  /** Who callers are */
  readonly accounts: Accounts;
  /** Takes what was done */
  readonly audit: AuditTrail;
  readonly jobs: JobDeps;
  readonly streams: JobStreams;
  readonly panels: Panels;
  readonly storage: Storage;
  readonly signer: UrlSigner;
  readonly webhooks: WebhookDeps;
  /** Accounts at providers */
  readonly connections: ConnectionDeps;
  /** The same, where people allow access at the provider */
  readonly oauth: OAuthDeps;
  readonly clock: Clock;
  readonly log: Log;
  /** What one caller may ask for */
  readonly limits: ApiLimits;
  /** Largest file that an upload takes, in bytes */
  readonly uploadBytesMax: number;
  /** Where this server is reached from outside, without a slash at the end; known once it listens */
  publicUrl(): string;
}

/** What a resolver gets: the process' services and who is calling. One per operation, a subscription's events share it. */
export interface GraphQLContext extends ApiServices {
  readonly principal: Principal;
  /** What the caller may by now, for operations that last */
  readonly session: Pick<Session, 'principal' | 'ended'>;
  /** Told to the caller with an unexpected error, and found in the log */
  readonly requestId: string;
  /** Where the request comes from */
  readonly origin: Origin;
  /** Told what the caller has left, for transports that can pass it on beside the answer */
  onCharged(allowance: Allowance): void;
}

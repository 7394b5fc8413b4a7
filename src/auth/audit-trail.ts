import type { Activity, Origin } from '../domain/activity.ts';
import { newUuid, timeOfUuid } from '../domain/ids.ts';
import { raceAbort, toError } from '../lib/abort.ts';
import { Batcher } from '../lib/batcher.ts';
import type { Log } from '../lib/log.ts';
import { insertActivities, type NewActivity } from '../repositories/activities.ts';
import type { Sql } from '../repositories/db.ts';
import type { Principal } from './principal.ts';

/** Of one statement; they are a few hundred bytes each. */
const ENTRIES_MAX = 500;
/** An answer waits no longer for its entries, in ms. */
const PATIENCE_MS = 5_000;

/** Who did something, and from where. */
export interface Doer {
  readonly principal: Pick<Principal, 'organization' | 'triggeredBy'>;
  readonly origin: Origin;
  readonly requestId: string;
}

/** What they did. */
export type Deed = Pick<
  Activity,
  'action' | 'isAudit' | 'objectType' | 'objectId' | 'succeeded' | 'summary' | 'details'
>;

/** An activity of now. */
export function activityOf({ principal, origin, requestId }: Doer, deed: Deed): NewActivity {
  const id = newUuid();
  return {
    ...deed,
    ...origin,
    id,
    organizationId: principal.organization.id,
    at: timeOfUuid(id),
    actor: principal.triggeredBy,
    requestId,
  };
}

/** Writes activities; those of requests that come at once go by one statement. */
export class AuditTrail {
  readonly #batches: Batcher<readonly NewActivity[], null>;
  readonly #log: Log;
  #lost = 0;

  constructor({ db, log }: { readonly db: Sql; readonly log: Log }) {
    this.#log = log;
    this.#batches = new Batcher({
      sizeMax: ENTRIES_MAX,
      concurrency: 2,
      run: async (batches) => {
        await insertActivities(db, batches.flat());
        return batches.map(() => null);
      },
    });
  }

  /** Entries that could not be written, since the process began */
  get lost(): number {
    return this.#lost;
  }

  /** @throws when they could not be written */
  async write(activities: readonly NewActivity[]): Promise<void> {
    if (activities.length > 0) await this.#batches.add(activities);
  }

  /** What was done is done: an entry that cannot be written is logged and counted, and nothing else fails for it. */
  async note(activities: readonly NewActivity[]): Promise<void> {
    try {
      await raceAbort(this.write(activities), AbortSignal.timeout(PATIENCE_MS));
    } catch (error) {
      this.#lost += activities.length;
      const entries = activities.map(({ action, actor, objectId, succeeded, requestId, organizationId }) => ({
        action,
        actor,
        objectId,
        succeeded,
        requestId,
        organizationId,
      }));
      this.#log.error({ err: toError(error), entries }, 'entries of the audit trail could not be written');
    }
  }
}

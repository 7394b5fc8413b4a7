import type { EventBus } from '../events/bus.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import type { Database } from '../repositories/db.ts';
import type { NoticeLimits } from './plan.ts';

/** What it takes to tell people of jobs that ended. */
export interface NotifyDeps {
  readonly db: Database;
  readonly bus: EventBus;
  /** With the system's own kinds: what goes out is a job of those */
  readonly catalogue: JobCatalogue;
  /** Whether a mail server is configured */
  readonly canMail: boolean;
  /** Where people reach the API; '' when it is not known */
  readonly linkBase: string;
  readonly limits: NoticeLimits;
}

import { UserFacingError, type UserError } from '../domain/errors.ts';
import { toPublicId } from '../domain/ids.ts';
import type { JobCatalogue, JobContract } from '../jobs/define.ts';
import type { Tx } from '../repositories/db.ts';
import {
  isDueTimeTaken,
  lockDueSchedule,
  moveOn,
  postpone,
  type DueSchedule,
} from '../repositories/due-schedules.ts';
import type { Schedule } from '../repositories/schedules.ts';
import { latestDueTime, nextDueTime } from '../services/schedules/due-times.ts';
import type { JobDeps } from './deps.ts';
import { contractOf } from './retry.ts';
import { startJobIn } from './start.ts';

/** A start that fails for a reason of ours, or that no worker knows how to make, is tried again after so long. */
const RETRY_SECONDS = 30;

/** What became of a schedule that was due. */
export interface Fired {
  readonly scheduleId: string;
  /** Null when no job was started: the schedule tells why */
  readonly afterCommit: (() => Promise<void>) | null;
}

/**
 * Takes one due schedule, starts its job and moves it on, all in one transaction of its own: what is wrong with one
 * schedule is not its neighbours' trouble. @returns null when none is due
 */
export async function fireDueSchedule(deps: JobDeps): Promise<Fired | null> {
  try {
    return await deps.db.transaction(async (tx) => {
      const due = await lockDueSchedule(tx, knownKinds(deps.catalogue));
      if (!due) return null;
      try {
        return await fire(tx, deps, due);
      } catch (error) {
        throw new FireFailure(due.id, error);
      }
    });
  } catch (error) {
    if (!(error instanceof FireFailure)) throw error;
    const { scheduleId, cause } = error;
    deps.log.error({ err: cause, schedule: scheduleId }, 'a schedule could not start its job');
    await postpone(
      deps.db,
      scheduleId,
      RETRY_SECONDS,
      'The job could not be started. The server tries again.',
    );
    return { scheduleId, afterCommit: null };
  }
}

/** Nothing that a person can mend: the transaction is rolled back, the run stays due. */
class FireFailure extends Error {
  override readonly name = 'FireFailure';
  readonly scheduleId: string;
  constructor(scheduleId: string, cause: unknown) {
    super('a schedule could not start its job', { cause });
    this.scheduleId = scheduleId;
  }
}

async function fire(tx: Tx, deps: JobDeps, due: DueSchedule): Promise<Fired> {
  const { id, timing, now } = due;
  const contract = contractOf(deps, due.kind);
  if (!contract || contract.version < due.version) {
    await postpone(
      tx,
      id,
      RETRY_SECONDS,
      `No running worker knows jobs of kind "${due.kind}". It waits for one.`,
    );
    return { scheduleId: id, afterCommit: null };
  }
  const dueAt = latestDueTime(timing, due.nextDueAt, now);
  const start = await startFor(tx, deps, { schedule: due, contract, dueAt });
  await moveOn(tx, { id, dueAt, nextDueAt: nextDueTime(timing, now), lastError: start.refusal });
  return { scheduleId: id, afterCommit: start.afterCommit };
}

interface Start {
  readonly schedule: Schedule;
  readonly contract: JobContract;
  readonly dueAt: Date;
}

interface Started {
  readonly refusal: string | null;
  readonly afterCommit: Fired['afterCommit'];
}

const refused = (refusal: string): Started => ({ refusal, afterCommit: null });

/** Starts the job for a due time, or says why it does not. A refusal has written nothing. */
async function startFor(tx: Tx, deps: JobDeps, { schedule, contract, dueAt }: Start): Promise<Started> {
  if (await isDueTimeTaken(tx, schedule.id, dueAt)) return { refusal: null, afterCommit: null };
  try {
    const { jobId, replayReason, message, afterCommit } = await startJobIn(tx, deps, {
      organizationId: schedule.organizationId,
      kind: contract.kind,
      input: currentInput(contract, schedule),
      triggeredBy: `schedule:${schedule.name}`,
      options: { priority: schedule.priority },
      schedule: { id: schedule.id, dueAt },
    });
    if (replayReason === null) return { refusal: null, afterCommit };
    return refused(`Skipped: ${message ?? 'it runs already.'} See job ${toPublicId('job', jobId)}.`);
  } catch (error) {
    if (error instanceof UserFacingError) return refused(error.errors.map(sentenceOf).join(' '));
    throw error;
  }
}

/** @throws UserFacingError when an older version's input cannot be brought into today's shape */
export function currentInput(contract: JobContract, { input, version }: Schedule): unknown {
  if (version >= contract.version || !contract.upgrade) return input;
  try {
    return contract.upgrade(input, version);
  } catch {
    throw UserFacingError.of(
      'INVALID',
      ['input'],
      `Its input is of an older version of "${contract.title}" and does not fit the present one.`,
    );
  }
}

/** "source.uploadId: There is no such upload." */
function sentenceOf({ field, message }: UserError): string {
  const [root, ...path] = field ?? [];
  return root === 'input' && path.length > 0 ? `${path.join('.')}: ${message}` : message;
}

function knownKinds(catalogue: JobCatalogue): Record<string, number> {
  return Object.fromEntries(
    Object.values(catalogue).flatMap(({ kind, aliases = [], version }) =>
      [kind, ...aliases].map((name) => [name, version]),
    ),
  );
}

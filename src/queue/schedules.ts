import { UserFacingError } from '../domain/errors.ts';
import { newUuid } from '../domain/ids.ts';
import type { JobPriority } from '../domain/job.ts';
import { SCHEDULES_MAX, type ScheduleTimingRequest } from '../domain/schedule.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import type { Database, Tx } from '../repositories/db.ts';
import {
  countSchedules,
  deleteSchedule as deleteRow,
  findSchedule,
  insertSchedule,
  lockSchedule,
  lockSchedules,
  pauseSchedule as pauseRow,
  resumeSchedule as resumeRow,
  updateSchedule as updateRow,
  type LockedSchedule,
} from '../repositories/schedules.ts';
import { releaseScheduleUploads } from '../repositories/uploads.ts';
import { checkTiming, isSameTiming } from '../services/schedules/check-timing.ts';
import { nextDueTime } from '../services/schedules/due-times.ts';
import type { JobDeps } from './deps.ts';
import { currentInput } from './due-schedules.ts';
import { keepForSchedule } from './input-references.ts';
import { asErrorOfTheOldJob, knownContract } from './retry.ts';
import { checkJob, checkName, Mistakes, type ScheduledJob } from './schedule-checks.ts';
import { startJob, type StartedJob } from './start.ts';

const TIMING = ['input', 'timing'];

export interface ScheduleRequest {
  readonly name: string;
  readonly timing: ScheduleTimingRequest;
  readonly job: ScheduledJob;
  readonly priority: JobPriority;
}

/** Which schedule, and whose. */
interface Target {
  readonly organizationId: string;
  readonly id: string;
}

type Deps = { readonly db: Database; readonly catalogue: JobCatalogue };

/** @returns its id. @throws UserFacingError that names everything which is wrong */
export async function createSchedule(
  deps: Deps,
  owner: { readonly organizationId: string; readonly createdBy: string },
  request: ScheduleRequest,
): Promise<string> {
  const { organizationId } = owner;
  const id = newUuid();
  await deps.db.transaction(async (tx) => {
    const now = await lockSchedules(tx, organizationId);
    if ((await countSchedules(tx, organizationId)) >= SCHEDULES_MAX)
      throw UserFacingError.of(
        'LIMIT_REACHED',
        null,
        `There are ${SCHEDULES_MAX} schedules, the most there may be.`,
      );
    const mistakes = new Mistakes();
    const name = await mistakes.in(() => checkName(tx, { organizationId, id }, request.name));
    const timing = await mistakes.in(() => checkTiming(request.timing, now, TIMING));
    const job = await mistakes.in(() => checkJob(tx, deps.catalogue, organizationId, request.job));
    if (name === null || timing === null || job === null) throw mistakes.all();
    const nextDueAt = nextDueTime(timing, now);
    await insertSchedule(tx, { id, ...owner, name, ...job, priority: request.priority, timing, nextDueAt });
    await keepUploadsOf(tx, deps, { organizationId, id }, job);
  });
  return id;
}

/** Changes what is given. Other due times count from now; the same timing as before changes none. */
export async function updateSchedule(
  deps: Deps,
  target: Target,
  request: Partial<ScheduleRequest>,
): Promise<void> {
  const { organizationId, id } = target;
  await deps.db.transaction(async (tx) => {
    const now = await lockSchedules(tx, organizationId);
    const old = await lock(tx, target);
    const asked = request.timing && !isSameTiming(old.timing, request.timing) ? request.timing : null;
    const mistakes = new Mistakes();
    const name = await mistakes.in(() =>
      request.name === undefined ? old.name : checkName(tx, target, request.name),
    );
    const timing = await mistakes.in(() => (asked ? checkTiming(asked, now, TIMING) : old.timing));
    const job = await mistakes.in(() =>
      request.job ? checkJob(tx, deps.catalogue, organizationId, request.job) : old,
    );
    if (name === null || timing === null || job === null) throw mistakes.all();
    const nextDueAt = asked && !old.pausedAt ? nextDueTime(timing, now) : old.nextDueAt;
    const { kind, version, input } = job;
    const priority = request.priority ?? old.priority;
    await updateRow(tx, id, { name, kind, version, input, priority, timing, nextDueAt });
    if (!request.job) return;
    await releaseScheduleUploads(tx, organizationId, id);
    await keepUploadsOf(tx, deps, target, job);
  });
}

/** Due times pass without a job until it is resumed; pausing it again changes nothing. */
export async function pauseSchedule(deps: Deps, target: Target): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const { pausedAt, nextDueAt } = await lock(tx, target);
    if (pausedAt) return;
    if (!nextDueAt)
      throw UserFacingError.of('CONFLICT', ['id'], 'It has nothing to come that could be paused.');
    await pauseRow(tx, target.id);
  });
}

/** Goes on with the next due time from now: what passed during the pause is not made up for. */
export async function resumeSchedule(deps: Deps, target: Target): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const { pausedAt, timing, now } = await lock(tx, target);
    if (!pausedAt) return;
    const nextDueAt = nextDueTime(timing, now);
    if (!nextDueAt) {
      const message = 'Its time passed during the pause. Give it another time, or run it now.';
      throw UserFacingError.of('CONFLICT', ['id'], message);
    }
    await resumeRow(tx, target.id, nextDueAt);
  });
}

/** The jobs that it started stay. */
export async function deleteSchedule(deps: Deps, { organizationId, id }: Target): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (!(await deleteRow(tx, organizationId, id))) throw notFound();
    await releaseScheduleUploads(tx, organizationId, id);
  });
}

/** Starts its job now, whatever its state; the due times stay as they are. */
export async function runScheduleNow(
  deps: JobDeps,
  target: Target & { readonly triggeredBy: string },
): Promise<StartedJob> {
  const { organizationId, id, triggeredBy } = target;
  const schedule = await findSchedule(deps.db, organizationId, id);
  if (!schedule) throw notFound();
  const contract = knownContract(deps, schedule.kind);
  try {
    return await startJob(deps, {
      organizationId,
      kind: contract.kind,
      input: currentInput(contract, schedule),
      triggeredBy,
      options: { priority: schedule.priority },
      schedule: { id, dueAt: null },
    });
  } catch (error) {
    if (error instanceof UserFacingError) throw new UserFacingError(error.errors.map(asErrorOfTheOldJob));
    throw error;
  }
}

/** An upload that a schedule's input names is there for each of its jobs. */
function keepUploadsOf(
  tx: Tx,
  deps: Deps,
  { organizationId, id }: Target,
  { kind, input }: { readonly kind: string; readonly input: unknown },
): Promise<void> {
  const schema = knownContract(deps, kind).input;
  return keepForSchedule(tx, schema, { organizationId, id, input });
}

async function lock(tx: Tx, { organizationId, id }: Target): Promise<LockedSchedule> {
  const schedule = await lockSchedule(tx, organizationId, id);
  if (!schedule) throw notFound();
  return schedule;
}

const notFound = (): UserFacingError => UserFacingError.of('NOT_FOUND', ['id'], 'There is no such schedule.');

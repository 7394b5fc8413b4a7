import { dateIn } from '../domain/period.ts';
import type { Clock } from '../lib/clock.ts';
import type { JobContract } from '../jobs/define.ts';
import type { JobDeps } from '../queue/deps.ts';
import { checkStart } from '../queue/new-job.ts';
import { startJob } from '../queue/start.ts';
import { findAnswers, type JobAnswers } from '../repositories/job-answers.ts';
import type { PanelFailure, PanelState } from './reading.ts';

/** Figures that a job makes, as they are now; `values` is null unless READY or STALE. */
export interface JobReading {
  readonly state: Exclude<PanelState, 'NOT_CONNECTED'>;
  readonly asOf: Date | null;
  readonly failure: PanelFailure | null;
  /** Uuid of the job that is making them */
  readonly refreshJobId: string | null;
  readonly values: Readonly<Record<string, unknown>> | null;
}

export interface JobPanelRequest {
  readonly contract: JobContract;
  readonly organization: { readonly id: string; readonly timeZone: string };
  readonly input: unknown;
  readonly maxAgeSeconds: number;
  /** Who asks, as on the job; null: whoever may not start jobs, and gets what there is */
  readonly startAs: string | null;
}

export interface JobPanelDeps {
  readonly jobs: JobDeps;
  readonly clock: Clock;
}

/** After a failure nobody tries again for so long: a page that asks every second would start as many jobs. */
const PAUSE_MS = 60_000;
/** An ask that finds nothing may come to start its job when another's has just ended. */
const JUST_ENDED_SECONDS = 5;

/**
 * The last good result of a job with this input, and the job that makes a fresh one: started by the ask if the result is
 * older than `maxAgeSeconds` or of another day of the organization's, and none is under way.
 * @throws UserFacingError for an input or age that is wrong
 */
export async function readJobPanel(deps: JobPanelDeps, request: JobPanelRequest): Promise<JobReading> {
  const { contract, organization, input, maxAgeSeconds, startAs } = request;
  const start = {
    organizationId: organization.id,
    kind: contract.kind,
    input,
    triggeredBy: startAs ?? '',
    options: { maxAgeSeconds: Math.min(maxAgeSeconds, JUST_ENDED_SECONDS) },
  };
  const { inputHash, uniqueKey } = checkStart(deps.jobs.catalogue, {
    ...start,
    options: { maxAgeSeconds },
  }).job;
  const found = await findAnswers(deps.jobs.db, {
    organizationId: organization.id,
    kind: contract.kind,
    inputHash,
    uniqueKey: uniqueKey ?? '',
  });
  const now = deps.clock.now();
  const reading = toReading(found, request, now);
  const isDue = reading.state !== 'READY' && !found.liveJobId && !isPaused(found, now);
  if (!isDue || startAs === null) return reading;
  const { jobId, replayReason } = await startJob(deps.jobs, start);
  if (replayReason === 'CACHED') return readJobPanel(deps, { ...request, startAs: null });
  return { ...reading, refreshJobId: jobId };
}

function toReading({ good, bad, liveJobId }: JobAnswers, request: JobPanelRequest, now: Date): JobReading {
  const parsed = request.contract.output.safeParse(good?.result);
  const failure = bad && failureOf(bad);
  const common = { failure, refreshJobId: liveJobId };
  if (good && parsed.success) {
    const { timeZone } = request.organization;
    const isYoung = now.getTime() - good.completedAt.getTime() <= 1_000 * request.maxAgeSeconds;
    // "The last 30 days" are others tomorrow.
    const isOfToday = dateIn(timeZone, good.startedAt) === dateIn(timeZone, now);
    const state = isYoung && isOfToday && !bad ? 'READY' : 'STALE';
    return { ...common, state, asOf: good.startedAt, values: parsed.data };
  }
  return { ...common, state: failure ? 'FAILED' : 'LOADING', asOf: null, values: null };
}

function failureOf({ status, message, completedAt }: NonNullable<JobAnswers['bad']>): PanelFailure {
  const said = status === 'cancelled' ? 'The job that makes these figures was cancelled.' : message;
  return {
    code: 'INTERNAL',
    message: said ?? 'The job that makes these figures failed.',
    retryAt: new Date(completedAt.getTime() + PAUSE_MS),
  };
}

function isPaused({ bad }: JobAnswers, now: Date): boolean {
  return bad !== null && now.getTime() - bad.completedAt.getTime() < PAUSE_MS;
}

import type { JobCatalogue } from '../jobs/define.ts';
import { startBatchIn } from '../queue/start-batch.ts';
import type { Tx } from '../repositories/db.ts';
import {
  lockNotices,
  readRecipients,
  takeUntoldJobs,
  writeNotifications,
  type NewNotification,
  type UntoldJob,
} from '../repositories/notices.ts';
import type { NotifyDeps } from './deps.ts';
import {
  planNotices,
  type EndedJob,
  type NoticePlan,
  type PlannedDigest,
  type PlannedNotice,
} from './plan.ts';
import { digestText, noticeText } from './texts.ts';
import { deliverEvents, jobEvent } from './webhook-events.ts';

/** Jobs of one transaction */
const BATCH = 100;
/** Batches of one run, so that a worker that is going away need not wait for more. */
const BATCHES_MAX = 20;

type ToldJob = EndedJob & UntoldJob;

/** Tells of jobs that failed or finished with warnings: every worker looks, and each job is told of once. */
export async function tellOfEndedJobs(deps: NotifyDeps, signal: AbortSignal): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX && !signal.aborted; batch += 1) {
    const told = await deps.db.transaction((tx) => tellBatch(tx, deps));
    if (told.plan) hint(deps, told.plan);
    if (told.jobs < BATCH) return;
  }
}

async function tellBatch(
  tx: Tx,
  deps: NotifyDeps,
): Promise<{ readonly jobs: number; readonly plan: NoticePlan<ToldJob> | null }> {
  const jobs = (await takeUntoldJobs(tx, BATCH)).map(toldJob);
  if (jobs.length === 0) return { jobs: 0, plan: null };
  const organizationIds = [...new Set(jobs.map((job) => job.organizationId))];
  await lockNotices(tx, organizationIds);
  const starters = new Set(jobs.flatMap(({ startedBy }) => (startedBy === null ? [] : [startedBy])));
  const recipients = await readRecipients(tx, organizationIds, [...starters], deps.limits);
  const plan = planNotices(jobs, recipients, deps);
  await write(tx, deps, plan);
  return { jobs: jobs.length, plan };
}

function toldJob(job: UntoldJob): ToldJob {
  return {
    ...job,
    type: job.status === 'failed' ? 'job_failed' : 'job_completed_with_warnings',
    startedBy: /^manual:(.+)$/s.exec(job.triggeredBy)?.[1] ?? null,
  };
}

async function write(tx: Tx, deps: NotifyDeps, { notices, digests }: NoticePlan<ToldJob>): Promise<void> {
  const { catalogue, linkBase } = deps;
  await writeNotifications(tx, [
    ...notices.map((notice) => noticeRow(catalogue, notice)),
    ...digests.map((digest) => digestRow(deps, digest)),
  ]);
  const mails = notices.filter(({ email }) => email);
  await startBatchIn(
    tx,
    catalogue,
    mails.map(({ id, job: { organizationId } }) => mailJob(organizationId, id)),
  );
  const copies = notices.filter(({ recipient }) => recipient.user === null);
  await deliverEvents(
    tx,
    catalogue,
    copies.map(({ id, job }) => jobEvent(id, job, linkBase)),
  );
}

/** The job that sends a notice by mail. */
export function mailJob(organizationId: string, notificationId: string) {
  const kind = 'email_delivery';
  return { organizationId, kind, input: { notificationId }, triggeredBy: 'system:notifications' };
}

function noticeRow(catalogue: JobCatalogue, notice: PlannedNotice<ToldJob>): NewNotification {
  const { id, recipient, job, inApp, email } = notice;
  return {
    id,
    ...addressOf(recipient),
    type: job.type,
    jobId: job.id,
    ...noticeText(catalogue, job),
    digestKinds: null,
    closesInMs: null,
    inApp,
    email,
  };
}

function digestRow({ catalogue, limits }: NotifyDeps, digest: PlannedDigest): NewNotification {
  const { id, recipient, kinds, inApp, email } = digest;
  return {
    id,
    ...addressOf(recipient),
    type: 'digest',
    jobId: null,
    ...digestText(catalogue, kinds),
    digestKinds: kinds,
    closesInMs: limits.windowMs,
    inApp,
    email,
  };
}

function addressOf({ organizationId, id, user }: PlannedNotice<ToldJob>['recipient']) {
  return { organizationId, recipientId: id, userId: user === null ? null : id };
}

/** After the commit: what a hint tells must be readable. A digest is told of when it opens. */
function hint({ bus }: NotifyDeps, { notices, digests }: NoticePlan<ToldJob>): void {
  const told = [...notices, ...digests.filter(({ isNew }) => isNew)].filter(({ inApp }) => inApp);
  for (const { id, recipient } of told) {
    bus.publish('notification', recipient.id, {
      organizationId: recipient.organizationId,
      notificationId: id,
    });
  }
}

import { toPublicId, uuidOf } from '../../domain/ids.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { encodeInput } from '../job-input.ts';
import { contractOf, publicKind } from '../job-kinds.ts';
import { storedNames } from '../../jobs/define.ts';
import { jobLink } from '../links.ts';
import './job-attempt.ts';
import { eventsOf, JobEventConnection } from './job-event.ts';
import { errorCodeOf, JobErrorCode, JobKind, JobStatus } from './job-enums.ts';
import { itemsOf, JobItemConnection, JobItemOutcome } from './job-item.ts';
import { JobResult, resultOf } from './job-result.ts';
import { pageArgs } from './connection.ts';
import { implementNode, Node } from './node.ts';
import { selectionOf } from '../selection.ts';
import { loadPendingReason, PendingReason } from './pending-reason.ts';
import { StoredFile } from './stored-file.ts';
import type { JobCounts as Counts } from '../../domain/job.ts';

const JobCounts = builder.objectRef<Counts>('JobCounts').implement({
  description: 'Rows or records. `total` is null until it is known.',
  fields: (t) => ({
    total: t.exposeInt('total', { nullable: true, description: 'All there are; null until it is known' }),
    processed: t.exposeInt('processed', { description: 'Looked at so far' }),
    succeeded: t.exposeInt('succeeded', { description: 'Taken' }),
    warned: t.exposeInt('warned', { description: 'Taken, with a warning' }),
    failed: t.exposeInt('failed', { description: 'Rejected' }),
  }),
});

/** Only what a query selects is read. */
export const Job = builder.prismaObject('Job', {
  description: 'A piece of background work.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({
      description: 'Starts with "job_"; later jobs sort later',
      resolve: (job) => toPublicId('job', job.id),
    }),
    kind: t.field({
      type: JobKind,
      description: 'What it does',
      select: { kind: true },
      resolve: (job) => publicKind(job.kind),
    }),
    status: t.expose('status', { type: JobStatus, description: 'Where it stands' }),
    queue: t.exposeString('queue', { description: 'Queue that it runs in' }),
    progressPercent: t.exposeInt('progressPercent', {
      nullable: true,
      description: '0 to 100; null until it can be known',
    }),
    progressMessage: t.exposeString('progressMessage', {
      nullable: true,
      description: 'What it is at, for people',
    }),
    triggeredBy: t.exposeString('triggeredBy', {
      description: 'manual:<user>, api:<key name>, schedule:<name> or job:<id>',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for' }),
    runAt: t.expose('runAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Not before this, if its caller said so',
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its first attempt began',
    }),
    completedAt: t.expose('completedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was settled, however it ended',
    }),
    errorCode: t.field({
      type: JobErrorCode,
      nullable: true,
      description: 'Why it failed, or why the last attempt did',
      select: { errorCode: true },
      resolve: (job) => errorCodeOf(job.errorCode),
    }),
    errorMessage: t.exposeString('errorMessage', { nullable: true, description: 'The same for people' }),
    pendingReason: t.field({
      type: PendingReason,
      nullable: true,
      description: 'Why a PENDING job is not running; null otherwise',
      select: { status: true },
      resolve: async (job, _args, ctx) =>
        job.status === 'pending' ? ((await loadPendingReason(ctx, 'all', null, job.id)) ?? null) : null,
    }),
    attempt: t.exposeInt('attempt', {
      description: 'Attempts begun, snoozed and released ones not counted; 0 before the first',
    }),
    maxAttempts: t.exposeInt('maxAttempts', { description: 'It fails for good when so many have failed' }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next attempt is due, while it waits for one',
    }),
    attempts: t.relation('attempts', {
      description: 'Oldest first',
      query: { orderBy: { delivery: 'asc' } },
    }),
    cancelRequestedAt: t.expose('cancelRequestedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When somebody asked for its end',
    }),
    cancelRequestedBy: t.exposeString('cancelRequestedBy', {
      nullable: true,
      description: 'Who did, as in `triggeredBy`',
    }),
    cancelAcknowledgedAt: t.expose('cancelHeardAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its worker told it to stop; null where none had to',
    }),
    cancelReason: t.exposeString('cancelReason', {
      nullable: true,
      description: 'Why they did, in their words',
    }),
    input: t.field({
      type: 'JSON',
      description:
        'As its caller gave it, with defaults filled in. Of jobs that the system derived, also what only it may say (`rejectedRowsOf`)',
      select: { kind: true, input: true },
      resolve: (job, _args, ctx) => inputOf(job, ctx),
    }),
    result: t.field({
      type: JobResult,
      nullable: true,
      description: 'One member per kind, typed; null until settled with a result',
      select: { kind: true, result: true },
      resolve: (job, _args, ctx) => resultOf(job, ctx),
    }),
    counts: t.field({
      type: JobCounts,
      description: 'How many rows or records, by what became of them',
      select: {
        countTotal: true,
        countProcessed: true,
        countSucceeded: true,
        countWarned: true,
        countFailed: true,
      },
      resolve: (job) => ({
        total: job.countTotal,
        processed: job.countProcessed,
        succeeded: job.countSucceeded,
        warned: job.countWarned,
        failed: job.countFailed,
      }),
    }),
    items: t.field({
      type: JobItemConnection,
      description: 'Rows or records that warned or failed; the first 100,000',
      args: { ...pageArgs, outcome: t.arg({ type: JobItemOutcome, description: 'Only these' }) },
      select: { itemCount: true },
      resolve: (job, args, ctx) => itemsOf(job, args, ctx),
    }),
    rejectedRows: t.field({
      type: StoredFile,
      nullable: true,
      description:
        'The failed rows in the layout they came in, with the reason in extra columns; null when there are none',
      // The same query as for `files`, so that both together are read once.
      select: (_args, _ctx, nested) => ({
        files: nested({ orderBy: { id: 'asc' }, select: { id: true, role: true } }),
      }),
      resolve: (job) => job.files.find((file) => file.role === 'rejected_rows') ?? null,
    }),
    files: t.relation('files', {
      description: 'What it made, the rejected rows included',
      query: { orderBy: { id: 'asc' } },
    }),
    events: t.field({
      type: JobEventConnection,
      description: 'Its log, oldest first; `jobEvents` follows it live',
      args: pageArgs,
      select: { lastSeq: true },
      resolve: (job, args, ctx) => eventsOf(job, args, ctx),
    }),
    parent: t.relation('parent', { nullable: true, description: 'The job that started this one' }),
    statusUrl: t.string({
      description: 'Page that shows this job live',
      resolve: (job, _args, ctx) => jobLink(ctx, job.id),
    }),
  }),
});

function inputOf(job: { readonly kind: string; readonly input: unknown }, ctx: GraphQLContext): unknown {
  const contract = contractOf(ctx.jobs.catalogue, job.kind);
  return contract ? encodeInput(contract.input, job.input) : job.input;
}

/** What no query may reach past: the caller's organization, and kinds that this release shows. */
export function visibleJobs(ctx: GraphQLContext) {
  return {
    organizationId: ctx.principal.organization.id,
    internal: false,
    kind: { in: storedNames(ctx.jobs.catalogue, null) },
  };
}

implementNode('job', Job, (id, ctx, info) =>
  ctx.prisma.job.findFirst({
    ...selectionOf(ctx, info, 'Job'),
    where: { ...visibleJobs(ctx), id },
  }),
);

builder.queryField('job', (t) =>
  t.prismaField({
    extensions: needs('read'),
    type: Job,
    nullable: true,
    description: "One job; null for what does not exist and for what is another organization's.",
    args: { id: t.arg.id({ required: true, description: 'Id of the job' }) },
    resolve(query, _root, args, ctx) {
      const id = uuidOf('job', args.id);
      return id === null ? null : ctx.prisma.job.findFirst({ ...query, where: { ...visibleJobs(ctx), id } });
    },
  }),
);

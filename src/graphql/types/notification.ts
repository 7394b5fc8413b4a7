import { z } from 'zod';
import { toPublicId } from '../../domain/ids.ts';
import { digestTotal, type NotificationType as Type } from '../../domain/notice.ts';
import { countUnread, type NoticeOwner } from '../../repositories/notification-lists.ts';
import { digestKinds } from '../../repositories/notices.ts';
import { jobCatalogue } from '../../jobs/index.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { contractOf, publicKind } from '../job-kinds.ts';
import { TOTAL_COUNT_MAX } from '../limits.ts';
import { selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { JobKind } from './job-enums.ts';
import './job.ts';
import { implementNode, Node } from './node.ts';

export const NotificationType = builder.enumType('NotificationType', {
  description: 'What a notification tells of.',
  values: {
    JOB_FAILED: { value: 'job_failed', description: 'A job failed for good' },
    JOB_COMPLETED_WITH_WARNINGS: {
      value: 'job_completed_with_warnings',
      description: 'A job is done, and something of it needs a look',
    },
    DIGEST: { value: 'digest', description: 'Many jobs at once: `digest` counts them' },
  } as const satisfies {
    readonly [T in Type as Uppercase<T>]: { readonly value: T; readonly description: string };
  },
});

interface KindCounts {
  readonly kind: string;
  readonly failed: number;
  readonly warned: number;
}

const NotificationDigestKind = builder.objectRef<KindCounts>('NotificationDigestKind').implement({
  description: 'Jobs of one kind that a digest stands for.',
  fields: (t) => ({
    kind: t.field({
      type: JobKind,
      nullable: true,
      description: 'Null for a kind that this release does not know',
      resolve: ({ kind }) => (contractOf(jobCatalogue, kind) ? publicKind(kind) : null),
    }),
    failed: t.exposeInt('failed', { description: 'Jobs that failed' }),
    completedWithWarnings: t.exposeInt('warned', { description: 'Jobs that finished with warnings' }),
  }),
});

interface Digest {
  readonly kinds: readonly KindCounts[];
  readonly failed: number;
  readonly warned: number;
  readonly from: Date;
  readonly to: Date;
}

const NotificationDigest = builder.objectRef<Digest>('NotificationDigest').implement({
  description: 'Jobs that ended badly within a short time, counted instead of told one by one.',
  fields: (t) => ({
    failed: t.exposeInt('failed', { description: 'Jobs that failed' }),
    completedWithWarnings: t.exposeInt('warned', { description: 'Jobs that finished with warnings' }),
    kinds: t.field({
      type: [NotificationDigestKind],
      description: 'The same by kind of job',
      resolve: ({ kinds }) => [...kinds],
    }),
    from: t.expose('from', { type: 'DateTime', description: 'It counts jobs told of since then' }),
    to: t.expose('to', { type: 'DateTime', description: 'It grows until then, and is mailed afterwards' }),
  }),
});

/** Only what a query selects is read. */
export const Notification = builder.prismaObject('Notification', {
  description: 'What one recipient is told, once: of a job, or of many jobs at once.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({
      description: 'Starts with "ntf_"; later ones sort later',
      resolve: ({ id }) => toPublicId('notification', id),
    }),
    type: t.expose('type', { type: NotificationType, description: 'What it tells of' }),
    title: t.exposeString('title', { description: 'In one line, for people' }),
    body: t.exposeString('body', { description: 'The rest, for people' }),
    job: t.relation('job', { nullable: true, description: 'The job that it tells of; null for a digest' }),
    digest: t.field({
      type: NotificationDigest,
      nullable: true,
      description: 'What a digest stands for; null for others',
      select: { digestKinds: true, createdAt: true, closesAt: true },
      resolve: ({ digestKinds: stored, createdAt, closesAt }) =>
        closesAt === null ? null : toDigest(stored, createdAt, closesAt),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written' }),
    readAt: t.expose('readAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was marked read; null: unread. A digest that grew is unread again',
    }),
  }),
});

function toDigest(stored: unknown, from: Date, to: Date): Digest {
  const byKind = digestKinds.parse(stored);
  const kinds = Object.entries(byKind).map(([kind, counts]) => ({ kind, ...counts }));
  return { kinds, ...digestTotal(byKind), from, to };
}

/** Whose notices the caller reads: a person's own; an admin key of no person, the organization's; others none. */
export function noticeOwner({ principal }: GraphQLContext): NoticeOwner | null {
  const { organization, userId, role } = principal;
  const recipientId = userId ?? (role === 'admin' ? organization.id : null);
  return recipientId === null ? null : { organizationId: organization.id, recipientId };
}

/** What no query may reach past. */
export function visibleNotices(owner: NoticeOwner) {
  return { ...owner, inApp: true };
}

implementNode('notification', Notification, async (id, ctx, info) => {
  const owner = noticeOwner(ctx);
  if (!owner) return null;
  const where = { ...visibleNotices(owner), id };
  return ctx.prisma.notification.findFirst({ ...selectionOf(ctx, info, 'Notification'), where });
});

const NotificationConnection = connectionType<{ readonly id: string }>(
  'Notification',
  (t) => t.field({ type: Notification, description: 'The notification', resolve: (edge) => edge.node }),
  {
    description: "A page of the caller's notifications, newest first.",
    totalCount: { nullable: true, description: 'Exact up to 10,000 and null beyond' },
  },
);

/** Counted up to what lists are counted to. */
export async function unreadCount(ctx: GraphQLContext): Promise<number> {
  const owner = noticeOwner(ctx);
  return owner === null ? 0 : countUnread(ctx.db, owner, TOTAL_COUNT_MAX);
}

builder.objectField(NotificationConnection, 'unreadCount', (t) =>
  t.int({
    description: 'All that are unread, whatever the page holds; no more than 10,000 are counted',
    resolve: (_page, _args, ctx) => unreadCount(ctx),
  }),
);

builder.queryField('notifications', (t) =>
  t.field({
    extensions: needs('read'),
    type: NotificationConnection,
    description:
      "The caller's notifications, newest first; kept for 30 days. A key of no person reads the organization's, if it is an admin's",
    args: {
      ...pageArgs,
      unreadOnly: t.arg.boolean({ defaultValue: false, description: 'Only unread ones' }),
    },
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'notifications', z.uuid());
      const owner = noticeOwner(ctx);
      const empty = { list: 'notifications', request, rows: [], keyOf: () => '', totalCount: () => 0 };
      if (!owner) return toPage(empty);
      const conditions = { ...visibleNotices(owner), ...(args.unreadOnly ? { readAt: null } : {}) };
      const rows = await ctx.prisma.notification.findMany({
        ...selectionOf(ctx, info, 'Notification', ['edges', 'node']),
        where: { ...conditions, ...(request.after === null ? {} : { id: { lt: request.after } }) },
        orderBy: { id: 'desc' },
        take: request.first + 1,
      });
      const totalCount = async () => {
        const count = await ctx.prisma.notification.count({ where: conditions, take: TOTAL_COUNT_MAX + 1 });
        return count > TOTAL_COUNT_MAX ? null : count;
      };
      return toPage({ ...empty, rows, keyOf: ({ id }) => id, totalCount });
    },
  }),
);

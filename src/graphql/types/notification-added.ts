import type { GraphQLResolveInfo } from 'graphql';
import type { NoticeHint } from '../../events/notification-stream.ts';
import { LruMap } from '../../lib/lru-map.ts';
import type { NoticeOwner } from '../../repositories/notification-lists.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { problem } from '../errors.ts';
import { expand } from '../expand.ts';
import { selectionOf } from '../selection.ts';
import { Notification, noticeOwner, visibleNotices } from './notification.ts';

/** Notices read at once, also after a gap; more than these, and the client must query again. */
const READ_MAX = 200;
/** Ids that were sent: a gap makes the stream read some of them again. */
const REMEMBERED_MAX = 1_000;

interface NoticeRow {
  readonly id: string;
}

builder.subscriptionField('notificationAdded', (t) =>
  t.field({
    extensions: needs('read'),
    type: Notification,
    description:
      "The caller's notifications as they come, each once. Ends with RESYNC when too much was missed; after a reconnect, query again. A digest is sent when it opens",
    subscribe: (_root, _args, ctx, info) => addedFor(ctx, info),
    resolve: (row: NoticeRow) => row,
  }),
);

function addedFor(ctx: GraphQLContext, info: GraphQLResolveInfo): AsyncIterableIterator<NoticeRow> {
  const owner = noticeOwner(ctx);
  // Nothing ever comes for a key of no person that is no admin's.
  if (!owner) return expand(ctx.streams.notifications(NOBODY), () => Promise.resolve([]));
  const sent = new LruMap<string, true>({ weightMax: REMEMBERED_MAX });
  return expand(ctx.streams.notifications(owner), async (hint) => {
    const rows = await read(ctx, info, owner, hint);
    const fresh = rows.filter(({ id }) => sent.get(id) === undefined);
    for (const { id } of fresh) sent.set(id, true);
    return fresh;
  });
}

const NOBODY = { organizationId: '', recipientId: '' };

/** One statement, with all that the query selects. */
async function read(
  ctx: GraphQLContext,
  info: GraphQLResolveInfo,
  owner: NoticeOwner,
  hint: NoticeHint,
): Promise<readonly NoticeRow[]> {
  const which = 'ids' in hint ? { id: { in: [...hint.ids] } } : { createdAt: { gte: hint.since } };
  const rows = await ctx.prisma.notification.findMany({
    ...selectionOf(ctx, info, 'Notification'),
    where: { ...visibleNotices(owner), ...which },
    orderBy: { id: 'asc' },
    take: READ_MAX + 1,
  });
  if (rows.length > READ_MAX)
    throw problem('RESYNC', 'Too many notifications came while the link was broken. Query again.');
  return rows;
}

import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import { uuidOf } from '../../domain/ids.ts';
import { markRead } from '../../repositories/notification-lists.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { IDS_MAX } from '../limits.ts';
import { noticeOwner, unreadCount } from './notification.ts';
import { UserError } from './user-error.ts';

interface Marked extends WithUserErrors {
  readonly markedCount: number;
}

const MarkNotificationsReadPayload = builder.objectRef<Marked>('MarkNotificationsReadPayload').implement({
  description: 'What was marked read, and what is left.',
  fields: (t) => ({
    markedCount: t.exposeInt('markedCount', { description: 'Notifications that were unread before' }),
    unreadCount: t.int({
      description: 'All that are unread now; no more than 10,000 are counted',
      resolve: (_marked, _args, ctx) => unreadCount(ctx),
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

builder.mutationField('markNotificationsRead', (t) =>
  t.field({
    extensions: needs('read'),
    type: MarkNotificationsReadPayload,
    description:
      "Marks the caller's notifications read: either some, or all that are older. What is read already, or not the caller's, counts for nothing",
    // Whoever may read notices may have read them.
    args: {
      ids: t.arg.idList({ description: `These; at most ${IDS_MAX}` }),
      before: t.arg({ type: 'DateTime', description: 'All that were written before' }),
    },
    resolve: (_root, { ids, before }, ctx) =>
      withUserErrors<Omit<Marked, 'userErrors'>>({ markedCount: 0 }, async () => ({
        markedCount: await mark(ctx, ids ?? null, before ?? null),
      })),
  }),
);

async function mark(
  ctx: GraphQLContext,
  ids: readonly string[] | null,
  before: Date | null,
): Promise<number> {
  const owner = noticeOwner(ctx);
  if ((ids === null) === (before === null))
    throw UserFacingError.of('INVALID', null, 'Expected either `ids` or `before`.');
  if (ids && ids.length > IDS_MAX) {
    const message = `Expected at most ${IDS_MAX} ids, got ${ids.length}.`;
    throw UserFacingError.of('INVALID', ['ids'], message);
  }
  if (!owner) return 0;
  if (before) return markRead(ctx.db, owner, { before });
  const uuids = (ids ?? []).flatMap((id) => uuidOf('notification', id) ?? []);
  return uuids.length === 0 ? 0 : markRead(ctx.db, owner, { ids: uuids });
}

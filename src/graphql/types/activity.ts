import { z } from 'zod';
import type { Activity as ActivityShape, ActivityFilter as Filter } from '../../domain/activity.ts';
import { toPublicId } from '../../domain/ids.ts';
import { countActivities, readActivities, readActivityPage } from '../../repositories/activities.ts';
import { needs } from '../authorization/rules.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import { IDS_MAX, TOTAL_COUNT_MAX } from '../limits.ts';
import { inputProblem } from '../errors.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { implementNode, Node } from './node.ts';

export const Activity = builder.objectRef<ActivityShape>('Activity').implement({
  extensions: needs('read_activity'),
  description: 'Who did what, on which object, from where. Nothing of it changes or goes. For admins.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ description: 'Starts with "act_"', resolve: ({ id }) => toPublicId('activity', id) }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was' }),
    actor: t.exposeString('actor', { description: 'manual:<user> or api:<key name>, as `Job.triggeredBy`' }),
    action: t.exposeString('action', {
      description: "The mutation's name, or what the client called it",
    }),
    audit: t.exposeBoolean('isAudit', {
      description: 'Noted by the server for a mutation; otherwise told by `logActivity`',
    }),
    objectType: t.exposeString('objectType', {
      nullable: true,
      description: 'What it was done to: "job", "connection" …; null: nothing that has a name',
    }),
    objectId: t.exposeString('objectId', { nullable: true, description: 'Which of them' }),
    succeeded: t.exposeBoolean('succeeded', { description: 'False: it was refused, or went wrong' }),
    summary: t.exposeString('summary', { description: 'For people' }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'Network address that the request came from, as its connection has it',
    }),
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: 'What the client calls itself; cut to 300 characters',
    }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'Of the request, as the header `x-request-id` and the log have it',
    }),
    details: t.expose('details', {
      type: 'JSON',
      nullable: true,
      description:
        'As told by `logActivity`; of a mutation, `arguments`: the ids and enum values that it was given, and `errors`: their codes and fields. No other input is kept',
    }),
  }),
});

const loadActivity = defineBatch(async (ctx, _params: null, ids: readonly string[]) => {
  const found = await readActivities(ctx.db, ctx.principal.organization.id, ids);
  return new Map(found.map((activity) => [activity.id, activity]));
});

implementNode('activity', Activity, async (id, ctx) => (await loadActivity(ctx, 'node', null, id)) ?? null);

const ActivityConnection = connectionType<ActivityShape>(
  'Activity',
  (t) => t.field({ type: Activity, description: 'What was done', resolve: ({ node }) => node }),
  {
    description: 'A page of activities, newest first.',
    totalCount: { nullable: true, description: 'Exact up to 10,000 and null beyond' },
  },
);

const ActivityFilter = builder.inputType('ActivityFilter', {
  description: 'All that are given must hold.',
  fields: (t) => ({
    actor: t.string({ description: 'Exactly as `Activity.actor` has it' }),
    actions: t.stringList({ description: `Any of these; at most ${IDS_MAX}` }),
    objectType: t.string({ description: 'As `Activity.objectType` has it' }),
    objectId: t.string({ description: 'As `Activity.objectId` has it' }),
    after: t.field({ type: 'DateTime', description: 'Later than this' }),
    before: t.field({ type: 'DateTime', description: 'Earlier than this' }),
    audit: t.boolean({ description: 'Only what the server noted, or only what clients told' }),
    succeeded: t.boolean({ description: 'Only what succeeded, or only what did not' }),
  }),
});

/** @throws GraphQLError that names the argument */
function filterOf(given: typeof ActivityFilter.$inferInput | null | undefined): Filter {
  const actions = given?.actions ?? null;
  if (actions && actions.length > IDS_MAX)
    throw inputProblem(['filter', 'actions'], `expected at most ${IDS_MAX}, got ${actions.length}.`);
  return {
    actor: given?.actor ?? null,
    actions,
    objectType: given?.objectType ?? null,
    objectId: given?.objectId ?? null,
    after: given?.after ?? null,
    before: given?.before ?? null,
    isAudit: given?.audit ?? null,
    succeeded: given?.succeeded ?? null,
  };
}

builder.queryField('activity', (t) =>
  t.field({
    extensions: needs('read_activity'),
    type: ActivityConnection,
    description:
      'What was done in the organization, newest first. `GET /activity.csv` gives all of it. For admins',
    args: { ...pageArgs, filter: t.arg({ type: ActivityFilter, description: 'Only what matches' }) },
    async resolve(_root, { filter: given, ...args }, ctx) {
      const request = readPage(ctx, args, 'activity', z.uuid());
      const filter = filterOf(given);
      const { id } = ctx.principal.organization;
      const page = { limit: request.first + 1, before: request.after };
      const rows = await readActivityPage(ctx.db, id, filter, page);
      const totalCount = async () => {
        const count = await countActivities(ctx.db, id, filter, TOTAL_COUNT_MAX + 1);
        return count > TOTAL_COUNT_MAX ? null : count;
      };
      return toPage({ list: 'activity', request, rows, keyOf: (activity) => activity.id, totalCount });
    },
  }),
);

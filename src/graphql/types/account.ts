import { z } from 'zod';
import { panelOf } from '../../domain/panel.ts';
import { toPublicId, uuidOf } from '../../domain/ids.ts';
import { liveSyncsOf } from '../../repositories/connection-lists.ts';
import { needs } from '../authorization/rules.ts';
import { defineBatch } from '../batch.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { selectionOf } from '../selection.ts';
import { connectionType, pageArgs, readPage, toPage } from './connection.ts';
import { loadJob } from './job-list.ts';
import { JobErrorCode } from './job-enums.ts';
import { Job } from './job.ts';
import { implementNode, Node } from './node.ts';
import { PanelKey } from './panels/panel.ts';
import { feedOf } from './provider.ts';
import { JOB_ERROR_CODES } from '../../domain/errors.ts';

const ConnectionState = builder.enumType('ConnectionState', {
  description: 'Whether an account is read.',
  values: {
    ACTIVE: { value: 'active', description: 'Read when it is due' },
    PAUSED: { value: 'paused', description: 'Somebody paused it: its figures stay as they are' },
    REFUSED: { value: 'refused', description: 'Its credentials are refused: reconnect it' },
    DISCONNECTED: {
      value: 'disconnected',
      description: 'Its credentials are gone, and its figures do not count',
    },
  } as const,
});

interface FailureShape {
  readonly code: string;
  readonly message: string | null;
  readonly at: Date | null;
}

const SyncFailure = builder.objectRef<FailureShape>('SyncFailure').implement({
  description: 'What went wrong when an account was read last.',
  fields: (t) => ({
    code: t.field({
      type: JobErrorCode,
      description: 'For programs',
      resolve: ({ code }) => JOB_ERROR_CODES.find((known) => known === code) ?? 'INTERNAL',
    }),
    message: t.string({ description: 'For people', resolve: ({ message }) => message ?? 'It failed.' }),
    at: t.expose('at', { type: 'DateTime', nullable: true, description: 'When' }),
  }),
});

interface FailureColumns {
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly failedAt: Date | null;
}

const FAILURE_COLUMNS = { failureCode: true, failureMessage: true, failedAt: true } as const;

const failureOf = ({ failureCode, failureMessage, failedAt }: FailureColumns): FailureShape | null =>
  failureCode === null ? null : { code: failureCode, message: failureMessage, at: failedAt };

interface EntityShape extends FailureColumns {
  readonly provider: string;
  readonly entity: string;
  readonly feeds: string | null;
  readonly syncedAt: Date | null;
  readonly stuckRuns: number;
}

const ConnectionEntity = builder.objectRef<EntityShape>('ConnectionEntity').implement({
  description: 'One kind of thing of an account, and how far it has been read.',
  fields: (t) => ({
    name: t.exposeString('entity', { description: 'As `startConnectorSync` takes it' }),
    title: t.string({
      description: 'For people',
      resolve: ({ provider, entity }, _args, { connections }) =>
        connections.connectors[provider]?.entities[entity]?.title ?? entity,
    }),
    panel: t.field({
      type: PanelKey,
      nullable: true,
      description: 'The panel that it is for; null: none',
      resolve: ({ feeds }) => {
        const feed = feedOf(feeds);
        return feed && panelOf(feed);
      },
    }),
    syncedAt: t.expose('syncedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'What its figures are true for; null: it was never read to its end',
    }),
    failure: t.field({
      type: SyncFailure,
      nullable: true,
      description: 'What went wrong with its latest run; null: nothing',
      resolve: failureOf,
    }),
    stuckRuns: t.exposeInt('stuckRuns', {
      description: 'Runs in a row whose cursor did not move although records came',
    }),
  }),
});

const loadLiveSyncs = defineBatch((ctx, _: null, connectionIds: readonly string[]) =>
  liveSyncsOf(ctx.db, ctx.principal.organization.id, connectionIds),
);

/** Only what a query selects is read. Credentials are no field of it. */
export const Connection = builder.prismaObject('Connection', {
  description: 'An account at a provider, from which figures come.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "con_"', resolve: ({ id }) => toPublicId('connection', id) }),
    provider: t.exposeString('provider', { description: 'Name of the provider: "stripe"' }),
    providerTitle: t.string({
      description: 'Name of the provider, for people',
      select: { provider: true },
      resolve: ({ provider }, _args, { connections }) => connections.connectors[provider]?.title ?? provider,
    }),
    label: t.exposeString('label', { description: 'Name of the account, for people' }),
    accountKey: t.exposeString('accountKey', { description: "The provider's own id of the account" }),
    config: t.expose('config', { type: 'JSON', description: 'What was entered that is no secret' }),
    timeZone: t.exposeString('timeZone', {
      nullable: true,
      description: 'In which the provider counts its days; null where it counts none',
    }),
    currency: t.exposeString('currency', { nullable: true, description: "The account's own, as ISO 4217" }),
    missingScopes: t.exposeStringList('missingScopes', {
      description: "Permissions that are used and were not given, in the provider's words",
    }),
    state: t.field({
      type: ConnectionState,
      description: 'Whether it is read',
      select: { pausedAt: true, refusedAt: true, disconnectedAt: true },
      resolve: ({ pausedAt, refusedAt, disconnectedAt }) => {
        if (disconnectedAt) return 'disconnected';
        if (refusedAt) return 'refused';
        return pausedAt ? 'paused' : 'active';
      },
    }),
    pausedAt: t.expose('pausedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is paused',
    }),
    syncEverySeconds: t.exposeInt('syncEverySeconds', { description: 'Between two syncs' }),
    nextSyncAt: t.expose('nextSyncAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is due next; null: it is not',
    }),
    syncedAt: t.expose('syncedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the latest sync began that read everything; null: none has yet',
    }),
    lagSeconds: t.int({
      nullable: true,
      description: 'Age of its figures; null before the first',
      select: { syncedAt: true },
      resolve: ({ syncedAt }, _args, { clock }) =>
        syncedAt && Math.max(0, Math.round((clock.now().getTime() - syncedAt.getTime()) / 1_000)),
    }),
    failure: t.field({
      type: SyncFailure,
      nullable: true,
      description: 'What went wrong with its latest sync; null: nothing',
      select: FAILURE_COLUMNS,
      resolve: failureOf,
    }),
    syncFrom: t.field({
      type: 'Date',
      description: 'The oldest day that is read',
      select: { syncFrom: true },
      resolve: ({ syncFrom }) => syncFrom.toISOString().slice(0, 10),
    }),
    entities: t.field({
      type: [ConnectionEntity],
      description: 'What is read of it',
      select: {
        provider: true,
        cursors: {
          select: { entity: true, feeds: true, syncedAt: true, stuckRuns: true, ...FAILURE_COLUMNS },
          orderBy: { entity: 'asc' },
        },
      },
      resolve: ({ provider, cursors }) => cursors.map((cursor) => ({ provider, ...cursor })),
    }),
    syncJob: t.field({
      type: Job,
      nullable: true,
      description: 'The job that is reading it now, if one is',
      select: { id: true },
      async resolve({ id }, _args, ctx, info) {
        const jobId = await loadLiveSyncs(ctx, 'live', null, id);
        if (jobId === undefined) return null;
        return (await loadJob(ctx, info.fieldNodes[0], selectionOf(ctx, info, 'Job'), jobId)) ?? null;
      },
    }),
    webhookUrl: t.string({
      nullable: true,
      description: 'Where the provider may tell us of changes; null where it cannot',
      select: { id: true, provider: true },
      resolve: ({ id, provider }, _args, { connections, publicUrl }) =>
        connections.connectors[provider]?.webhook
          ? `${publicUrl()}/webhooks/${provider}/${toPublicId('connection', id)}`
          : null,
    }),
    hasWebhookSecret: t.boolean({
      description: "Whether the secret is known that signs the provider's webhooks",
      select: { webhookSecret: true },
      resolve: ({ webhookSecret }) => webhookSecret !== null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was connected first' }),
    createdBy: t.exposeString('createdBy', { description: 'manual:<user> or api:<key name>' }),
  }),
});

/** What no query may reach past: the caller's organization, and what is being deleted. */
export function visibleConnections(ctx: GraphQLContext) {
  return { organizationId: ctx.principal.organization.id, isErased: false };
}

implementNode('connection', Connection, (id, ctx, info) =>
  ctx.prisma.connection.findFirst({
    ...selectionOf(ctx, info, 'Connection'),
    where: { ...visibleConnections(ctx), id },
  }),
);

builder.queryField('connection', (t) =>
  t.prismaField({
    extensions: needs('read'),
    type: Connection,
    nullable: true,
    description: "One connection; null for what does not exist and for what is another organization's",
    args: { id: t.arg.id({ required: true, description: 'Id of the connection' }) },
    resolve(query, _root, args, ctx) {
      const id = uuidOf('connection', args.id);
      return id === null
        ? null
        : ctx.prisma.connection.findFirst({ ...query, where: { ...visibleConnections(ctx), id } });
    },
  }),
);

const ConnectionConnection = connectionType<{ readonly id: string }>(
  'Connection',
  (t) => t.field({ type: Connection, description: 'The connection', resolve: (edge) => edge.node }),
  {
    description: 'A page of connections, in the order they were made.',
    totalCount: { nullable: false, description: 'All that match' },
  },
);

builder.queryField('connections', (t) =>
  t.field({
    extensions: needs('read'),
    type: ConnectionConnection,
    description: "The organization's connections, in the order they were made",
    args: {
      ...pageArgs,
      disconnected: t.arg.boolean({
        defaultValue: false,
        description: 'Those too that are disconnected and whose data are kept',
      }),
    },
    async resolve(_root, args, ctx, info) {
      const request = readPage(ctx, args, 'connections', z.uuid());
      const where = { ...visibleConnections(ctx), ...(args.disconnected ? {} : { disconnectedAt: null }) };
      const rows = await ctx.prisma.connection.findMany({
        ...selectionOf(ctx, info, 'Connection', ['edges', 'node']),
        where: { AND: [where, request.after === null ? {} : { id: { gt: request.after } }] },
        orderBy: { id: 'asc' },
        take: request.first + 1,
      });
      const totalCount = () => ctx.prisma.connection.count({ where });
      return toPage({ list: 'connections', request, rows, keyOf: ({ id }) => id, totalCount });
    },
  }),
);

import { connectAccount, noSuchConnection } from '../../connections/connect.ts';
import { disconnect, pause, reconnect, resume, update, type Target } from '../../connections/manage.ts';
import { type UserError as UserErrorShape } from '../../domain/errors.ts';
import { toPublicId, uuidOf } from '../../domain/ids.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { Connection, visibleConnections } from './account.ts';
import { UserError } from './user-error.ts';

const asList = ({ userErrors }: WithUserErrors): UserErrorShape[] => [...userErrors];
const USER_ERRORS = 'What must be mended; empty when it worked';

interface Changed extends WithUserErrors {
  readonly connectionId: string | null;
}

const ConnectionPayload = builder.objectRef<Changed>('ConnectionPayload').implement({
  description: 'The connection as it is now.',
  fields: (t) => ({
    connection: t.prismaField({
      type: Connection,
      nullable: true,
      description: 'Null with `userErrors`',
      resolve: (query, { connectionId }, _args, ctx) =>
        connectionId === null
          ? null
          : ctx.prisma.connection.findFirst({
              ...query,
              where: { ...visibleConnections(ctx), id: connectionId },
            }),
    }),
    userErrors: t.field({ type: [UserError], description: USER_ERRORS, resolve: asList }),
  }),
});

/** Runs what changes a connection; a person's mistake becomes `userErrors`. */
function changed(run: () => Promise<string>): Promise<Changed> {
  return withUserErrors<Omit<Changed, 'userErrors'>>({ connectionId: null }, async () => ({
    connectionId: await run(),
  }));
}

/** @throws UserFacingError: what is no connection's id is the id of no connection */
function targetOf({ principal: { organization, triggeredBy } }: GraphQLContext, publicId: string): Target {
  const id = uuidOf('connection', publicId);
  if (id === null) throw noSuchConnection();
  return { organizationId: organization.id, id, by: triggeredBy };
}

function change(
  ctx: GraphQLContext,
  publicId: string,
  run: (target: Target) => Promise<void>,
): Promise<Changed> {
  return changed(async () => {
    const target = targetOf(ctx, publicId);
    await run(target);
    return target.id;
  });
}

const idArg = { required: true, description: 'Id of the connection' } as const;

const ConnectAccountInput = builder.inputType('ConnectAccountInput', {
  description: 'An account, and what opens it; `providers` tells what each takes.',
  fields: (t) => ({
    provider: t.string({ required: true, description: 'Name of the provider: "stripe"' }),
    config: t.field({ type: 'JSON', description: 'What is no secret: the name of a shop' }),
    credentials: t.field({
      type: 'JSON',
      required: true,
      description: 'Keys and tokens: stored encrypted, shown to nobody',
    }),
    syncFrom: t.field({
      type: 'Date',
      description: 'The oldest day that is read; default: thirteen months ago',
    }),
  }),
});

builder.mutationField('connectAccount', (t) =>
  t.field({
    extensions: needs('manage_connections'),
    type: ConnectionPayload,
    description:
      'Checks the credentials at the provider, stores them encrypted, and starts to read the account. For admins',
    args: { input: t.arg({ type: ConnectAccountInput, required: true, description: 'The account' }) },
    resolve: (_root, { input }, { connections, principal: { organization, triggeredBy } }) =>
      changed(async () => {
        const { connectionId } = await connectAccount(connections, {
          organizationId: organization.id,
          createdBy: triggeredBy,
          provider: input.provider,
          config: input.config,
          credentials: input.credentials,
          syncFrom: input.syncFrom ?? undefined,
        });
        return connectionId;
      }),
  }),
);

const ReconnectAccountInput = builder.inputType('ReconnectAccountInput', {
  description: 'New credentials for the same account.',
  fields: (t) => ({
    config: t.field({ type: 'JSON', description: 'What is no secret; absent: as it is' }),
    credentials: t.field({
      type: 'JSON',
      required: true,
      description: 'Keys and tokens: stored encrypted, shown to nobody',
    }),
  }),
});

builder.mutationField('reconnectAccount', (t) =>
  t.field({
    extensions: needs('manage_connections'),
    type: ConnectionPayload,
    description:
      'Checks new credentials of the same account and stores them. One that is paused stays paused; one that was disconnected lives again. For admins',
    args: {
      id: t.arg.id(idArg),
      input: t.arg({ type: ReconnectAccountInput, required: true, description: 'What opens it now' }),
    },
    resolve: (_root, { id, input }, ctx) =>
      change(ctx, id, (target) =>
        reconnect(ctx.connections, target, {
          config: input.config ?? undefined,
          credentials: input.credentials,
        }),
      ),
  }),
);

builder.mutationField('pauseConnection', (t) =>
  t.field({
    extensions: needs('manage_connections'),
    type: ConnectionPayload,
    description: 'Nothing is read until it is resumed; a sync that runs is cancelled. For admins',
    args: { id: t.arg.id(idArg) },
    resolve: (_root, { id }, ctx) => change(ctx, id, (target) => pause(ctx.jobs, target)),
  }),
);

builder.mutationField('resumeConnection', (t) =>
  t.field({
    extensions: needs('manage_connections'),
    type: ConnectionPayload,
    description: 'Reads it again, from where it ended. For admins',
    args: { id: t.arg.id(idArg) },
    resolve: (_root, { id }, ctx) => change(ctx, id, (target) => resume(ctx.jobs, target)),
  }),
);

const UpdateConnectionInput = builder.inputType('UpdateConnectionInput', {
  description: 'What is absent stays.',
  fields: (t) => ({
    syncEverySeconds: t.int({ description: 'Between two syncs, 60 to 604800' }),
    webhookSecret: t.string({
      description:
        "What signs the provider's webhooks; null takes it away. Stored encrypted, shown to nobody",
    }),
  }),
});

builder.mutationField('updateConnection', (t) =>
  t.field({
    extensions: needs('manage_connections'),
    type: ConnectionPayload,
    description: 'Changes how an account is read. For admins',
    args: {
      id: t.arg.id(idArg),
      input: t.arg({ type: UpdateConnectionInput, required: true, description: 'What changes' }),
    },
    resolve: (_root, { id, input }, ctx) =>
      change(ctx, id, (target) =>
        update(ctx.connections, target, {
          syncEverySeconds: input.syncEverySeconds ?? undefined,
          webhookSecret: input.webhookSecret,
        }),
      ),
  }),
);

interface Disconnected extends WithUserErrors {
  readonly disconnectedId: string | null;
}

const DisconnectAccountPayload = builder.objectRef<Disconnected>('DisconnectAccountPayload').implement({
  description: 'What is disconnected.',
  fields: (t) => ({
    disconnectedId: t.exposeID('disconnectedId', { nullable: true, description: 'Null with `userErrors`' }),
    userErrors: t.field({ type: [UserError], description: USER_ERRORS, resolve: asList }),
  }),
});

builder.mutationField('disconnectAccount', (t) =>
  t.field({
    extensions: needs('manage_connections'),
    type: DisconnectAccountPayload,
    description:
      'Forgets the credentials; the figures no longer count. Connecting the account again brings them back, unless its data are deleted too. For admins',
    args: {
      id: t.arg.id(idArg),
      deleteData: t.arg.boolean({
        defaultValue: false,
        description: 'Whether all that was read of it is deleted, for good',
      }),
    },
    resolve: (_root, { id, deleteData }, ctx) =>
      withUserErrors<Omit<Disconnected, 'userErrors'>>({ disconnectedId: null }, async () => {
        const target = targetOf(ctx, id);
        await disconnect(ctx.jobs, target, deleteData ?? false);
        return { disconnectedId: toPublicId('connection', target.id) };
      }),
  }),
);

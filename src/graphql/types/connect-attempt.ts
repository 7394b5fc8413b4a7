import { beginConnect } from '../../connections/oauth.ts';
import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import { uuidOf } from '../../domain/ids.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { UserError } from './user-error.ts';

interface Begun extends WithUserErrors {
  readonly url: string | null;
  readonly expiresAt: Date | null;
}

const BeginConnectPayload = builder.objectRef<Begun>('BeginConnectPayload').implement({
  description: 'Where a person allows access.',
  fields: (t) => ({
    url: t.exposeString('url', {
      nullable: true,
      description:
        'At the provider: open it in a browser. It is for one person, who comes back to this server and is told how it ended. Null with `userErrors`',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when they may come back. Null with `userErrors`',
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

const BeginConnectInput = builder.inputType('BeginConnectInput', {
  description: 'An account at a provider whose `canBegin` is true.',
  fields: (t) => ({
    provider: t.string({ required: true, description: 'Name of the provider: "shopify"' }),
    config: t.field({
      type: 'JSON',
      description: 'What is no secret, as `connectAccount` takes it; default: what `connectionId` has',
    }),
    connectionId: t.id({
      description: 'Id of a connection of that provider that gets new credentials; absent: a new one is made',
    }),
  }),
});

builder.mutationField('beginConnect', (t) =>
  t.field({
    extensions: needs('manage_connections'),
    type: BeginConnectPayload,
    description:
      'Connects an account, or gives a connection new credentials, without a key: a person allows it at the provider (OAuth). For admins',
    args: { input: t.arg({ type: BeginConnectInput, required: true, description: 'The account' }) },
    resolve: (_root, { input }, { oauth, principal: { organization, triggeredBy } }) =>
      withUserErrors<Omit<Begun, 'userErrors'>>({ url: null, expiresAt: null }, () =>
        beginConnect(oauth, {
          organizationId: organization.id,
          createdBy: triggeredBy,
          provider: input.provider,
          config: input.config ?? undefined,
          connectionId: input.connectionId == null ? undefined : connectionIdOf(input.connectionId),
        }),
      ),
  }),
);

/** @throws UserFacingError: what is no connection's id is the id of no connection */
function connectionIdOf(publicId: string): string {
  const id = uuidOf('connection', publicId);
  if (id !== null) return id;
  throw UserFacingError.of('NOT_FOUND', ['input', 'connectionId'], 'There is no such connection.');
}

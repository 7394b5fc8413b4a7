import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import {
  EVERY_KIND,
  NOTICE_DEFAULTS,
  NOTICE_TYPES,
  NOTIFICATION_CHANNELS,
  wantsNotice,
  type NoticePreference,
  type NotificationChannel as Channel,
} from '../../domain/notice.ts';
import {
  readPreferences,
  writePreferences,
  type PreferenceChange,
} from '../../repositories/notification-preferences.ts';
import { jobCatalogue } from '../../jobs/index.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { contractOf, publicKind } from '../job-kinds.ts';
import { JobKind } from './job-enums.ts';
import { NotificationType } from './notification.ts';
import { UserError } from './user-error.ts';

const CHANGES_MAX = 100;

const NotificationChannel = builder.enumType('NotificationChannel', {
  description: 'How a notification reaches its recipient.',
  values: {
    IN_APP: { value: 'in_app', description: '`notifications` and `notificationAdded`' },
    EMAIL: { value: 'email', description: 'A mail, where the server can send any' },
  } as const satisfies {
    readonly [C in Channel as Uppercase<C>]: { readonly value: C; readonly description: string };
  },
});

interface Preference extends NoticePreference {
  readonly isDefault: boolean;
}

const NotificationPreference = builder.objectRef<Preference>('NotificationPreference').implement({
  description: 'Whether the caller wants to be told of something, and how.',
  fields: (t) => ({
    type: t.expose('type', { type: NotificationType, description: 'Told of what' }),
    jobKind: t.field({
      type: JobKind,
      nullable: true,
      description: 'Of which kind of job; null: of all without a preference of their own',
      resolve: ({ jobKind }) => (jobKind === EVERY_KIND ? null : publicKind(jobKind)),
    }),
    channel: t.expose('channel', { type: NotificationChannel, description: 'How' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether they are told so' }),
    isDefault: t.exposeBoolean('isDefault', { description: 'They said nothing: it is the default' }),
  }),
});

/** What holds for all kinds, by the person's word or by default, then what they said of single kinds. */
async function preferencesOf(ctx: GraphQLContext): Promise<Preference[]> {
  const { userId, organization } = ctx.principal;
  if (userId === null) return [];
  const said = await readPreferences(ctx.db, organization.id, userId);
  const general = NOTICE_TYPES.flatMap((type) =>
    NOTIFICATION_CHANNELS.map((channel) => ({
      type,
      channel,
      jobKind: EVERY_KIND,
      enabled: wantsNotice(said, type, EVERY_KIND, channel),
      isDefault: !said.some(
        (line) => line.type === type && line.channel === channel && line.jobKind === EVERY_KIND,
      ),
    })),
  );
  const special = said.filter(({ jobKind }) => contractOf(jobCatalogue, jobKind));
  return [...general, ...special.map((line) => ({ ...line, isDefault: false }))];
}

builder.queryField('notificationPreferences', (t) =>
  t.field({
    extensions: needs('read'),
    type: [NotificationPreference],
    description: `What the caller is told of, and how. Until they say otherwise: failures in the app${
      NOTICE_DEFAULTS.job_failed.email ? ' and by mail' : ''
    }, warnings in the app. Empty for a key of no person`,
    resolve: (_root, _args, ctx) => preferencesOf(ctx),
  }),
);

const NotificationPreferenceInput = builder.inputType('NotificationPreferenceInput', {
  description: 'A preference that is to hold from now on.',
  fields: (t) => ({
    type: t.field({
      type: NotificationType,
      required: true,
      description: 'Told of what; not DIGEST, which follows the preferences of what it stands for',
    }),
    jobKind: t.field({ type: JobKind, description: 'Of which kind of job; absent: of all' }),
    channel: t.field({ type: NotificationChannel, required: true, description: 'How' }),
    enabled: t.boolean({ description: 'Whether they are told so; null: as the default has it' }),
  }),
});

const UpdatePreferencesPayload = builder
  .objectRef<WithUserErrors>('UpdateNotificationPreferencesPayload')
  .implement({
    description: 'All preferences as they are now.',
    fields: (t) => ({
      preferences: t.field({
        type: [NotificationPreference],
        description: 'As `notificationPreferences`',
        resolve: (_payload, _args, ctx) => preferencesOf(ctx),
      }),
      userErrors: t.field({
        type: [UserError],
        description: 'What must be mended, nothing changed then; empty when it worked',
        resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
      }),
    }),
  });

builder.mutationField('updateNotificationPreferences', (t) =>
  t.field({
    extensions: needs('read'),
    type: UpdatePreferencesPayload,
    description: "Changes some of the caller's preferences; the others stay",
    // Everybody decides what they are told themselves.
    args: {
      preferences: t.arg({
        type: [NotificationPreferenceInput],
        required: true,
        description: `1 to ${CHANGES_MAX}; of two for the same, the later counts`,
      }),
    },
    resolve: (_root, { preferences }, ctx) =>
      withUserErrors({}, async () => {
        await update(ctx, preferences);
        return {};
      }),
  }),
);

type PreferenceInput = typeof NotificationPreferenceInput.$inferInput;

async function update(ctx: GraphQLContext, inputs: readonly PreferenceInput[]): Promise<void> {
  const { userId, organization } = ctx.principal;
  if (inputs.length < 1 || inputs.length > CHANGES_MAX) {
    const message = `Expected 1 to ${CHANGES_MAX} preferences, got ${inputs.length}.`;
    throw UserFacingError.of('INVALID', ['preferences'], message);
  }
  const changes = new Map(inputs.map((input, index) => toChange(input, index)));
  const isWritten =
    userId !== null && (await writePreferences(ctx.db, organization.id, userId, [...changes.values()]));
  if (!isWritten)
    throw UserFacingError.of('NOT_ALLOWED', null, 'Only a member of the organization has preferences.');
}

/** With the key that two changes of the same preference share. */
function toChange(
  { type, jobKind, channel, enabled }: PreferenceInput,
  index: number,
): [string, PreferenceChange] {
  if (type === 'digest') {
    const message = 'A digest follows the preferences of what it stands for.';
    throw UserFacingError.of('INVALID', ['preferences', String(index), 'type'], message);
  }
  const kind = jobKind ?? EVERY_KIND;
  return [JSON.stringify([type, kind, channel]), { type, jobKind: kind, channel, enabled: enabled ?? null }];
}

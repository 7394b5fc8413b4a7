import { activityOf } from '../../auth/audit-trail.ts';
import { activityInput, type Activity as ActivityShape } from '../../domain/activity.ts';
import { parseInput } from '../../domain/parse-input.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { toPublicId } from '../../domain/ids.ts';
import { Activity } from './activity.ts';
import { UserError } from './user-error.ts';

interface Logged {
  readonly activity: ActivityShape | null;
}

const LogActivityPayload = builder.objectRef<Logged & WithUserErrors>('LogActivityPayload').implement({
  description: 'What was noted.',
  fields: (t) => ({
    activityId: t.id({
      nullable: true,
      description: 'For everybody who may tell; null with `userErrors`',
      resolve: ({ activity }) => activity && toPublicId('activity', activity.id),
    }),
    activity: t.field({
      type: Activity,
      nullable: true,
      description: 'As admins may read it; null with `userErrors`',
      resolve: ({ activity }) => activity,
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }) => [...userErrors],
    }),
  }),
});

const LogActivityInput = builder.inputType('LogActivityInput', {
  description: 'Something that was done outside of this API.',
  fields: (t) => ({
    action: t.string({ required: true, description: 'A short name for programs; 1 to 100 characters' }),
    objectType: t.string({ description: 'What it was done to; 1 to 100 characters' }),
    objectId: t.string({ description: 'Which of them; 1 to 200 characters' }),
    summary: t.string({ required: true, description: 'For people; 1 to 1,000 characters' }),
    succeeded: t.boolean({ description: 'Whether it worked; absent: it did' }),
    details: t.field({
      type: 'JSON',
      description: 'Anything else, at most 16 kB. Admins read it: no secrets',
    }),
  }),
});

builder.mutationField('logActivity', (t) =>
  t.field({
    extensions: needs('record_activity'),
    type: LogActivityPayload,
    description:
      'Notes what somebody did elsewhere, beside what the server notes by itself of each mutation. It stays for as long as the organization',
    args: { input: t.arg({ type: LogActivityInput, required: true, description: 'What was done' }) },
    resolve: (_root, { input }, ctx) =>
      withUserErrors<Logged>({ activity: null }, async () => {
        const { action, objectType, objectId, summary, succeeded, details } = parseInput(
          activityInput,
          input,
        );
        const activity = activityOf(ctx, {
          action,
          isAudit: false,
          objectType: objectType ?? null,
          objectId: objectId ?? null,
          succeeded: succeeded ?? true,
          summary,
          details: details ?? null,
        });
        await ctx.audit.write([activity]);
        return { activity };
      }),
  }),
);

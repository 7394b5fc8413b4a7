import { builder } from '../builder.ts';
import { JobPriority } from './job-enums.ts';

export const JobOptions = builder.inputType('JobOptions', {
  description: 'What can be said of any start.',
  fields: (t) => ({
    idempotencyKey: t.string({
      description:
        'Per organization, over all start mutations. Same key and input: the first job comes back; other input: IDEMPOTENCY_CONFLICT. 1 to 255 characters, kept 24 h',
    }),
    priority: t.field({
      type: JobPriority,
      required: true,
      defaultValue: 'NORMAL',
      description: "Before or after the organization's other waiting jobs",
    }),
    runAt: t.field({ type: 'DateTime', description: 'Not before this' }),
    maxAgeSeconds: t.int({
      description:
        'Return a finished result not older than this instead of running again; INVALID for kinds whose result cannot be cached',
    }),
  }),
});

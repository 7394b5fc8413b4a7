import { z } from 'zod';
import { UserFacingError, type UserError as UserErrorShape } from '../../domain/errors.ts';
import { newUuid, toPublicId } from '../../domain/ids.ts';
import { storageKey } from '../../domain/storage-key.ts';
import { createUpload } from '../../repositories/uploads.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { withUserErrors, type WithUserErrors } from '../errors.ts';
import { uploadLink } from '../links.ts';
import { UserError } from './user-error.ts';

/** The PUT must begin within this, in ms: as long as its link works. */
const UNUSED_KEPT_MS = 24 * 60 * 60_000;

interface StagedUploadShape {
  readonly id: string;
  readonly url: string;
  readonly contentType: string;
  readonly expiresAt: Date;
}

const HttpHeader = builder
  .objectRef<{ readonly name: string; readonly value: string }>('HttpHeader')
  .implement({
    description: 'A header of an HTTP request.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'In lower case' }),
      value: t.exposeString('value', { description: 'To be sent as it is' }),
    }),
  });

const StagedUpload = builder.objectRef<StagedUploadShape>('StagedUpload').implement({
  description: 'PUT the raw bytes to `url` with `headers`; then name `id` in a FileSource.',
  fields: (t) => ({
    id: t.id({ description: 'Starts with "upl_"', resolve: (upload) => toPublicId('upload', upload.id) }),
    url: t.exposeString('url', { description: 'Where the bytes go, without a token; for one file' }),
    headers: t.field({
      type: [HttpHeader],
      description: 'To be sent with the PUT',
      resolve: (upload) => [{ name: 'content-type', value: upload.contentType }],
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'The PUT must begin before' }),
  }),
});

interface Staged extends WithUserErrors {
  readonly upload: StagedUploadShape | null;
}

const CreateStagedUploadPayload = builder.objectRef<Staged>('CreateStagedUploadPayload').implement({
  description: 'Where to put a file, or what must be mended before.',
  fields: (t) => ({
    upload: t.expose('upload', { type: StagedUpload, nullable: true, description: 'Null with `userErrors`' }),
    userErrors: t.field({
      type: [UserError],
      description: 'What must be mended; empty when it worked',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

const CreateStagedUploadInput = builder.inputType('CreateStagedUploadInput', {
  description: 'The file that is to be uploaded.',
  fields: (t) => ({
    filename: t.string({ required: true, description: 'Its name, for people; 1 to 255 characters' }),
    contentType: t.string({ required: true, description: 'Its MIME type, e.g. text/csv' }),
    byteSize: t.field({ type: 'SafeInt', description: 'Its size in bytes, if known; the PUT must match it' }),
  }),
});

const fileSchema = z.object({
  filename: z
    .string()
    .min(1, 'Expected a name, got nothing.')
    .max(255, 'Expected at most 255 characters.')
    .regex(/^[^\0-\x1f\x7f]*$/, 'Expected a name without control characters.'),
  contentType: z
    .string()
    .max(255, 'Expected at most 255 characters.')
    .regex(
      /^[\w.+-]+\/[\w.+-]+(\s*;\s*[\w-]+=("[^"\\\r\n]*"|[\w.+-]+))*$/,
      'Expected a MIME type such as text/csv.',
    ),
  byteSize: z.int().min(1, 'Expected at least 1 byte.').nullish(),
});

builder.mutationField('createStagedUpload', (t) =>
  t.field({
    extensions: needs('run_jobs'),
    type: CreateStagedUploadPayload,
    description:
      'A place to PUT one file to; the file then is the source of jobs. It is kept for 24 hours, and as long as a job that names it',
    args: { input: t.arg({ type: CreateStagedUploadInput, required: true, description: 'The file' }) },
    resolve: (_root, { input }, ctx) =>
      withUserErrors<Omit<Staged, 'userErrors'>>({ upload: null }, async () => ({
        upload: await stage(ctx, input),
      })),
  }),
);

async function stage(ctx: GraphQLContext, input: z.input<typeof fileSchema>): Promise<StagedUploadShape> {
  const { filename, contentType, byteSize } = check(ctx, input);
  const organizationId = ctx.principal.organization.id;
  const id = newUuid();
  await createUpload(ctx.db, {
    id,
    organizationId,
    filename,
    contentType,
    declaredBytes: byteSize ?? null,
    storageKey: storageKey(organizationId, 'uploads', id),
    expiresAt: new Date(ctx.clock.now().getTime() + UNUSED_KEPT_MS),
  });
  return { id, contentType, ...uploadLink(ctx, { id, organizationId }) };
}

function check(
  { uploadBytesMax }: GraphQLContext,
  input: z.input<typeof fileSchema>,
): z.output<typeof fileSchema> {
  const parsed = fileSchema.safeParse(input);
  if (!parsed.success) {
    throw new UserFacingError(
      parsed.error.issues.map(({ path, message }) => ({
        code: 'INVALID',
        field: ['input', ...path.map(String)],
        message,
      })),
    );
  }
  if (parsed.data.byteSize && parsed.data.byteSize > uploadBytesMax) {
    const message = `A file may have at most ${uploadBytesMax} bytes, this one has ${parsed.data.byteSize}.`;
    throw UserFacingError.of('TOO_LARGE', ['input', 'byteSize'], message);
  }
  return parsed.data;
}

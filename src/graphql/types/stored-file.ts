import { toPublicId } from '../../domain/ids.ts';
import { builder } from '../builder.ts';
import { fileLink } from '../links.ts';
import { implementNode, Node } from './node.ts';
import { selectionOf } from '../selection.ts';

/** A file that a job made. */
export const StoredFile = builder.prismaObject('StoredFile', {
  description: '`url` is signed when it is read and works until `expiresAt`.',
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ description: 'Starts with "fil_"', resolve: (file) => toPublicId('file', file.id) }),
    filename: t.exposeString('filename', { description: 'As a download is called' }),
    contentType: t.exposeString('contentType', { description: 'MIME type' }),
    byteSize: t.expose('byteSize', { type: 'SafeInt', description: 'Size in bytes' }),
    sha256: t.exposeString('sha256', { description: 'SHA-256 of its bytes, lower-case hex' }),
    url: t.string({
      description: 'Where it can be fetched by GET, without a token',
      select: { organizationId: true },
      resolve: (file, _args, ctx) => fileLink(ctx, file).url,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'The `url` works until then',
      select: { organizationId: true },
      resolve: (file, _args, ctx) => fileLink(ctx, file).expiresAt,
    }),
  }),
});

implementNode('file', StoredFile, (id, ctx, info) =>
  ctx.prisma.storedFile.findFirst({
    ...selectionOf(ctx, info, 'StoredFile'),
    where: { id, organizationId: ctx.principal.organization.id },
  }),
);

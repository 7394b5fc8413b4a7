import { toPublicId } from '../domain/ids.ts';
import { fileUrl, uploadUrl, type LinkTarget } from '../secrets/index.ts';
import type { ApiServices } from './context.ts';

/** A file's signed URL works for so long after it was read, in ms. */
const FILE_LINK_LIFETIME_MS = 60 * 60_000;
/** So long after `createStagedUpload` a client may begin its PUT, in ms. */
const UPLOAD_LINK_LIFETIME_MS = 24 * 60 * 60_000;

interface SignedLink {
  readonly url: string;
  readonly expiresAt: Date;
}

/** Page that shows a job live. */
export function jobLink(services: ApiServices, jobId: string): string {
  return `${services.publicUrl()}/jobs/${toPublicId('job', jobId)}`;
}

export function fileLink(services: ApiServices, file: LinkTarget): SignedLink {
  const expiresAt = inMs(services, FILE_LINK_LIFETIME_MS);
  return { url: fileUrl(services.signer, services.publicUrl(), file, expiresAt), expiresAt };
}

export function uploadLink(services: ApiServices, upload: LinkTarget): SignedLink {
  const expiresAt = inMs(services, UPLOAD_LINK_LIFETIME_MS);
  return { url: uploadUrl(services.signer, services.publicUrl(), upload, expiresAt), expiresAt };
}

/** To the whole second, as signatures know no smaller unit. */
function inMs({ clock }: ApiServices, ms: number): Date {
  return new Date(Math.floor((clock.now().getTime() + ms) / 1_000) * 1_000);
}

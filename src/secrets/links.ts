import { toPublicId } from '../domain/ids.ts';
import type { UrlSigner } from './url-signer.ts';

/** Claims of a link to PUT an upload to. */
export const UPLOAD_CLAIMS = { purpose: 'upload', method: 'PUT' } as const;
/** Claims of a link to GET a file from. */
export const FILE_CLAIMS = { purpose: 'file', method: 'GET' } as const;

/** Something of an organization's that a link names. */
export interface LinkTarget {
  /** uuid */
  readonly id: string;
  /** uuid */
  readonly organizationId: string;
}

/** Where this upload's bytes are PUT, until `expiresAt`. @param publicUrl without a slash at the end */
export function uploadUrl(signer: UrlSigner, publicUrl: string, target: LinkTarget, expiresAt: Date): string {
  const { organizationId } = target;
  const path = `/uploads/${toPublicId('upload', target.id)}`;
  return publicUrl + signer.sign(path, { ...UPLOAD_CLAIMS, organizationId }, expiresAt);
}

/** Where this file is downloaded, until `expiresAt`. @param publicUrl without a slash at the end */
export function fileUrl(signer: UrlSigner, publicUrl: string, target: LinkTarget, expiresAt: Date): string {
  const { organizationId } = target;
  const path = `/files/${toPublicId('file', target.id)}`;
  return publicUrl + signer.sign(path, { ...FILE_CLAIMS, organizationId }, expiresAt);
}

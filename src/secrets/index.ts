export {
  DERIVED_KEY_ID,
  openCipher,
  SecretUnreadableError,
  type EncryptionKey,
  type SecretCipher,
  type SecretPlace,
} from './cipher.ts';
export { FILE_CLAIMS, fileUrl, UPLOAD_CLAIMS, uploadUrl, type LinkTarget } from './links.ts';
export {
  createMasterSecret,
  loadMasterSecret,
  type LoadSecretOptions,
  type MasterSecret,
} from './master-secret.ts';
export { deriveToken } from './token.ts';
export { openSigner, type UrlClaims, type UrlSigner, type Verification } from './url-signer.ts';

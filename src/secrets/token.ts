import type { MasterSecret } from './master-secret.ts';

/** A bearer token that an installation can always make again from its secret: the demo organization's, by `name`. */
export function deriveToken(secret: MasterSecret, name: string): string {
  return `mr_${secret.deriveKey(`token:${name}`).toString('base64url')}`;
}

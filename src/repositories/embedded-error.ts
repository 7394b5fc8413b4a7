import { StartError } from '../lib/entry.ts';

/** The embedded PostgreSQL cannot be used here; the message tells a person what to do about it. */
export class EmbeddedPostgresError extends StartError {
  override readonly name = 'EmbeddedPostgresError';
}

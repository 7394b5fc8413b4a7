import type { Connectors } from '../connectors/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Database } from '../repositories/db.ts';
import type { SecretCipher } from '../secrets/index.ts';

/** What it takes to reach accounts at providers. */
export interface ConnectionDeps {
  readonly db: Database;
  readonly cipher: SecretCipher;
  readonly connectors: Connectors;
  /** By provider, in the place of its own address: tests and development alone */
  readonly baseUrls: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
}

import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createLocalStorage } from './local.ts';
import type { Storage } from './storage.ts';

/** Where this process keeps files: API and worker name the same place. */
export function openStorage({ dataDir }: Pick<Config, 'dataDir'>): Storage {
  return createLocalStorage({ directory: join(dataDir, 'files') });
}

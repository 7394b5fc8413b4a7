import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStorage } from '../../src/storage/index.ts';
import { storageConformance } from './storage.ts';

storageConformance('a local folder', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-storage-'));
  return {
    storage: openStorage({ dataDir }),
    async objects() {
      const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).length;
    },
    close: () => rm(dataDir, { recursive: true }),
  };
});

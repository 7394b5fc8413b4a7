import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readTestEnvironment } from './environment.ts';

/**
 * A real file from the folder `csv` of the one that MILLRACE_TEST_DATA names, or null where the variable is not set. A test that uses
 * it also runs on inputs of our own, so that nothing hangs on the folder.
 * @throws when the variable is set and the file is not there
 */
export function testDataFile(path: string): string | null {
  const { dataFolder } = readTestEnvironment();
  if (dataFolder === null) return null;
  const file = join(dataFolder, 'csv', path);
  if (!existsSync(file)) throw new Error(`MILLRACE_TEST_DATA is set, and ${path} is not in it`);
  return file;
}

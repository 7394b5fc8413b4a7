import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A real file from the folder that MILLRACE_TEST_DATA names, or null where the variable is not set. A test that uses
 * it also runs on inputs of our own, so that nothing hangs on the folder.
 * @throws when the variable is set and the file is not there
 */
export function testDataFile(path: string): string | null {
  const folder = process.env['MILLRACE_TEST_DATA'];
  if (!folder) return null;
  const file = join(folder, path);
  if (!existsSync(file)) throw new Error(`MILLRACE_TEST_DATA is set, and ${path} is not in it`);
  return file;
}

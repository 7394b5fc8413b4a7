import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMasterSecret, deriveToken, loadMasterSecret } from '../../src/secrets/index.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-secret-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

describe('the master secret', () => {
  test('is made once: processes that start together, and later ones, agree', async () => {
    const folder = join(dataDir, 'made', 'here');
    const secrets = await Promise.all(
      Array.from({ length: 20 }, () => loadMasterSecret({ secret: null, dataDir: folder })),
    );
    const keys = new Set(secrets.map((secret) => secret.deriveKey('test').toString('hex')));
    expect(keys.size).toBe(1);
    const later = await loadMasterSecret({ secret: null, dataDir: folder });
    expect(keys.has(later.deriveKey('test').toString('hex'))).toBe(true);
    expect(await readdir(folder)).toEqual(['secret']);
  });

  test('is readable by its owner alone', async () => {
    await loadMasterSecret({ secret: null, dataDir });
    expect((await stat(join(dataDir, 'secret'))).mode & 0o777).toBe(0o600);
  });

  test('is the configured one where there is one, and nothing is written', async () => {
    const configured = 'x'.repeat(40);
    const secret = await loadMasterSecret({ secret: configured, dataDir });
    expect(secret.deriveKey('a')).toEqual(createMasterSecret(configured).deriveKey('a'));
    expect(await readdir(dataDir)).toEqual([]);
  });

  test('is refused when the file was damaged, instead of signing with what is left', async () => {
    await writeFile(join(dataDir, 'secret'), 'abc');
    await expect(loadMasterSecret({ secret: null, dataDir })).rejects.toThrow(join(dataDir, 'secret'));
    expect(await readFile(join(dataDir, 'secret'), 'utf8')).toBe('abc');
  });

  test('gives each purpose a key of its own', () => {
    const [one, two] = [createMasterSecret('a'.repeat(32)), createMasterSecret('b'.repeat(32))];
    const keys = [one.deriveKey('url'), one.deriveKey('token:url'), two.deriveKey('url')].map((key) =>
      key.toString('hex'),
    );
    expect(new Set(keys).size).toBe(3);
    expect(keys.every((key) => key.length === 64)).toBe(true);
  });

  test('gives a name the same token every time, and another name another', () => {
    const secret = createMasterSecret('a'.repeat(32));
    expect(deriveToken(secret, 'demo:admin')).toBe(
      deriveToken(createMasterSecret('a'.repeat(32)), 'demo:admin'),
    );
    expect(deriveToken(secret, 'demo:admin')).not.toBe(deriveToken(secret, 'demo:viewer'));
    expect(deriveToken(secret, 'demo:admin')).toMatch(/^mr_[\w-]{43}$/);
  });
});

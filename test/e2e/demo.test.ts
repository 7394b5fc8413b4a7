import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { currentEnvironment } from '../../src/config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const PANEL = /^(revenue|traffic|ads|social|email|support) .*READY/;

/** What differs from run to run and day to day: times, ids, ports, signatures and the figures of the last 30 days. */
function timeless(output: string): string[] {
  return output
    .replaceAll(/Ready after [\d.]+ s/g, 'Ready')
    .replaceAll(/(job|fil|org)_[0-9a-z]{26}/g, '$1')
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http')
    .replaceAll(/\?\S+/g, '?')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('reading the accounts'))
    .map((line) => (PANEL.test(line) ? line.replaceAll(/\d[\d.,]*/g, 'n') : line));
}

describe('npm run demo', () => {
  it('prints what the README shows and ends well', { timeout: 180_000 }, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
    await chmod(dataDir, 0o755);
    try {
      const demo = spawn('npm', ['run', '--silent', 'demo', '--', '--once'], {
        cwd: root,
        env: {
          ...currentEnvironment(),
          // As in a shell that says nothing of it: the tests' own mode has no demo accounts.
          NODE_ENV: '',
          PORT: '0',
          HEALTH_PORT: '0',
          MILLRACE_DATA_DIR: dataDir,
          REDIS_URL: '',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(demo, 'exit');
      const output = await text(demo.stdout);
      expect(await exited).toEqual([0, null]);
      const readme = await readFile(join(root, 'README.md'), 'utf8');
      const shown = /This is what the demo prints:\n\n```\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
      expect(timeless(output)).toEqual(timeless(shown));
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

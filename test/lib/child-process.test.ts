import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runChild } from '../../src/lib/child-process.ts';
import { waitFor } from '../support/wait.ts';

const env = { PATH: '/usr/bin:/bin' };

describe('a program that a job runs', () => {
  let cwd: string;
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'millrace-child-'));
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));

  const never = new AbortController().signal;
  const pidIn = async (file: string): Promise<number> =>
    waitFor(async () => Number(await readFile(join(cwd, file), 'utf8')) || null);
  const lives = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  /** Starts a grandchild that would sleep on; both write down who they are and ignore a polite end. */
  const family = `trap '' TERM; sh -c 'trap "" TERM; echo $$ > grandchild; sleep 60; sleep 60' & echo $$ > child; wait`;

  it('is heard line by line, and its exit code comes back', async () => {
    const lines: string[] = [];
    const end = await runChild(['sh', '-c', 'echo out; echo err >&2; pwd; echo $SECRET; exit 3'], {
      cwd,
      env,
      signal: never,
      onLine: (line, stream) => lines.push(`${stream}: ${line}`),
    });
    expect(end).toEqual({ code: 3 });
    expect(lines.toSorted()).toEqual(['stderr: err', 'stdout: ', `stdout: ${cwd}`, 'stdout: out']);
  });

  it('is ended by the signal with all that it started, also when it does not want to', async () => {
    const stop = new AbortController();
    const running = runChild(['sh', '-c', family], { cwd, env, signal: stop.signal, graceMs: 200 });
    const pids = [await pidIn('child'), await pidIn('grandchild')];
    stop.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    await waitFor(() => pids.every((pid) => !lives(pid)));
  });

  it('leaves nothing behind when it ends by itself', async () => {
    const script = `sh -c 'echo $$ > grandchild; exec sleep 60' & until [ -s grandchild ]; do sleep 0.01; done`;
    expect(await runChild(['sh', '-c', script], { cwd, env, signal: never })).toEqual({ code: 0 });
    const pid = await pidIn('grandchild');
    await waitFor(() => !lives(pid));
  });

  it('does not outlive the process that started it, however that died', async () => {
    const module = new URL('../../src/lib/child-process.ts', import.meta.url).href;
    const script = `import { runChild } from ${JSON.stringify(module)};
      await runChild(['sh', '-c', ${JSON.stringify(family)}],
        { cwd: ${JSON.stringify(cwd)}, env: ${JSON.stringify(env)}, signal: new AbortController().signal, graceMs: 200 });`;
    await writeFile(join(cwd, 'parent.mts'), script);
    const parent = spawn(process.execPath, ['--import', 'tsx', join(cwd, 'parent.mts')], {
      stdio: 'inherit',
    });
    const pids = [await pidIn('child'), await pidIn('grandchild')];
    const exited = once(parent, 'exit');
    parent.kill('SIGKILL');
    await exited;
    await waitFor(() => pids.every((pid) => !lives(pid)));
  });

  it('that cannot be found is an error of its own, and an aborted start starts nothing', async () => {
    expect(await runChild(['no-such-program'], { cwd, env, signal: never })).toEqual({ code: 127 });
    await expect(
      runChild(['true'], { cwd, env, signal: AbortSignal.abort(new Error('late')) }),
    ).rejects.toThrow('late');
  });
});

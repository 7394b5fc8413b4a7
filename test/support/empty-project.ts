import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const TIMEOUT_MS = 120_000;
const run = promisify(execFile);

/** A program's folder somewhere else: nothing of the repository is found from it. */
export interface EmptyProject extends AsyncDisposable {
  readonly folder: string;
  /** Installs a packed package, and nothing from a registry. */
  install(file: string): Promise<void>;
  /** Copies files into it, under their names. */
  copy(...files: readonly URL[]): Promise<void>;
  /** Compiles files with these options. @throws with what the compiler said */
  compile(files: readonly string[], options: Readonly<Record<string, unknown>>): Promise<void>;
  /** Runs a program in it. @returns what it wrote to stdout */
  node(...args: readonly string[]): Promise<string>;
}

export async function createEmptyProject(): Promise<EmptyProject> {
  // As Node sees it: the temporary folder of some systems is a link.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-project-')));
  const inFolder = async (program: string, args: readonly string[]): Promise<string> => {
    const options = { cwd: folder, timeout: TIMEOUT_MS } as const;
    const { stdout } = await run(program, [...args], options).catch((error: unknown) => {
      throw new Error(`${program} ${args.join(' ')} failed: ${outputOf(error)}`, { cause: error });
    });
    return stdout;
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  return {
    folder,
    install: async (file) => void (await inFolder('npm', ['install', '--offline', '--no-audit', file])),
    async copy(...files) {
      const paths = files.map((file) => fileURLToPath(file));
      await Promise.all(paths.map((path) => copyFile(path, join(folder, basename(path)))));
    },
    async compile(files, options) {
      const compilerOptions = { ...options, typeRoots: [join(MODULES, '@types')] };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
      await inFolder(process.execPath, [join(MODULES, 'typescript/bin/tsc'), '-p', 'tsconfig.json']);
    },
    node: (...args) => inFolder(process.execPath, args),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function outputOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.message, 'stdout' in error ? error.stdout : '', 'stderr' in error ? error.stderr : '']
    .filter((text) => typeof text === 'string')
    .join('\n');
}

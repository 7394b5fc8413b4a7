import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TIMEOUT_MS = 2 * 60_000;

/** Code that is made, what it is made from and by which command. */
interface Generator {
  readonly name: string;
  /** Files, and folders with all that is in them; package-lock.json stands for the generators' versions */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly command: readonly string[];
}

const GENERATORS: readonly Generator[] = [
  {
    name: 'prisma',
    inputs: ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json'],
    output: 'src/generated/prisma/client.ts',
    // The CLI wants an engine that `generate` never runs: any program that exists saves the download.
    command: [
      'env',
      `PRISMA_SCHEMA_ENGINE_BINARY=${process.execPath}`,
      'CHECKPOINT_DISABLE=1',
      'node_modules/.bin/prisma',
      'generate',
    ],
  },
  {
    name: 'sdk',
    inputs: [
      'codegen.ts',
      'schema.graphql',
      'src/sdk/operations',
      'node_modules/@graphql-codegen/cli/package.json',
    ],
    output: 'src/sdk/generated',
    command: ['node_modules/.bin/graphql-codegen', '--config', 'codegen.ts'],
  },
];

/**
 * Makes the code that is not in git, where its inputs changed since the last time; else done in a few ms.
 * @throws when a generator fails, with all it said
 */
export async function generate(): Promise<void> {
  for (const generator of GENERATORS) await runIfChanged(generator);
}

async function runIfChanged(generator: Generator): Promise<void> {
  if (!existsSync(join(ROOT, generator.inputs[0] ?? ''))) return;
  const stamp = join(ROOT, 'node_modules', '.cache', 'millrace', `generated-${generator.name}`);
  const hash = await hashOf(generator.inputs);
  const last = await readFile(stamp, 'utf8').catch(() => '');
  if (last === hash && existsSync(join(ROOT, generator.output))) return;

  const startedAt = performance.now();
  await run(generator);
  await mkdir(dirname(stamp), { recursive: true });
  await writeFile(stamp, hash);
  console.log(`generated ${generator.name} in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
}

async function hashOf(inputs: readonly string[]): Promise<string> {
  const files = await Promise.all(inputs.map(filesOf));
  const hash = createHash('sha256');
  const contents = await Promise.all(files.flat().map(async (path) => [path, await readFile(path)] as const));
  for (const [path, content] of contents) hash.update(path).update('\0').update(content).update('\0');
  return hash.digest('hex');
}

async function filesOf(input: string): Promise<readonly string[]> {
  const path = join(ROOT, input);
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => null);
  if (!entries) return [path];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function run({ name, command: [program, ...options] }: Generator): Promise<void> {
  const child = spawn(program ?? '', options, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000);
    });
  }
  const closed: unknown[] = await once(child, 'close');
  if (closed[0] !== 0) throw new Error(`generating ${name} failed:\n${said}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generate();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from './source-files.ts';

/** Below the repository, so that programs find its packages; not in git. */
const FOLDER = fileURLToPath(new URL('../../.cache/snippets/', import.meta.url));
const TIMEOUT_MS = 120_000;

/** Programs of a page by the heading that they stand under, in order. */
export async function snippetsOf(page: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  let heading = '';
  for (const [, title, code] of (await readText(page)).matchAll(/^#+ (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else found.set(heading, [...(found.get(heading) ?? []), code ?? '']);
  }
  return found;
}

export interface SnippetOptions {
  /** Of the server, in place of the one that the page names */
  readonly url: string;
  /** What the page says is given: names and texts */
  readonly given: Readonly<Record<string, string>>;
  /** More code at the end, which uses what the program made */
  readonly then?: string;
  /** Files that lie in the program's folder */
  readonly files?: Readonly<Record<string, string>>;
}

/** Runs a program of a page as it stands, in a process of its own. @returns what it wrote to stdout @throws when it fails */
export async function runSnippet(code: string, options: SnippetOptions): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  const folder = await mkdtemp(join(FOLDER, 'run-'));
  try {
    const given = Object.entries(options.given).map(
      ([name, text]) => `const ${name}: string = ${JSON.stringify(text)};`,
    );
    const program = [...given, code, options.then ?? ''].join('\n');
    const { host } = new URL(options.url);
    const files = { ...options.files, 'main.mts': program.replaceAll('127.0.0.1:4000', host) };
    await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content)));
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(folder: string): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'main.mts'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const [code, signal]: unknown[] = await once(child, 'close');
  if (code !== 0)
    throw new Error(`the program ended with ${String(signal ?? code)}:\n${complaint}\n${output}`);
  return output;
}

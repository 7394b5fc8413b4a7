import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One file of ours, by its path from the root: "src/domain/job.ts". */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Files of ours that it imports, types included */
  readonly imports: readonly string[];
}

const CODE = /\.(ts|tsx|js|mjs)$/;
const GENERATED = /^src\/(generated|sdk\/generated)\//;

/** Every file of code below these folders, without generated ones. */
export async function sourceFiles(...folders: readonly string[]): Promise<readonly SourceFile[]> {
  const listed = await Promise.all(folders.map(listFiles));
  const paths = listed.flat().filter((path) => CODE.test(path) && !GENERATED.test(path));
  return Promise.all(paths.sort().map(readSource));
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

async function readSource(path: string): Promise<SourceFile> {
  const text = await readFile(join(ROOT, path), 'utf8');
  const { importedFiles } = ts.preProcessFile(text, true, true);
  const imports = importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(path), name));
  return { path, text, lines: text.split('\n').length - 1, imports };
}

/** A file of the repository as text. */
export function readText(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}

/** The code without comments and without what stands in strings: words in them call nothing. */
export function codeOf({ path, text }: SourceFile): string {
  const scanner = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const parts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (node.getChildCount(scanner) > 0) node.getChildren(scanner).forEach(visit);
    else if (!ts.isStringLiteralLike(node)) parts.push(node.getText(scanner));
  };
  visit(scanner);
  return parts.join(' ');
}

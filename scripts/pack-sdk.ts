import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import ts from 'typescript';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENTRY = join(ROOT, 'src/sdk/index.ts');
const DEFAULT_FOLDER = join(ROOT, 'dist/sdk');

const manifest = z.object({
  version: z.string(),
  license: z.string(),
  engines: z.object({ node: z.string() }),
});
const packed = z.tuple([z.object({ filename: z.string() })]);

export interface PackedSdk {
  /** The .tgz that `npm install` takes */
  readonly file: string;
  readonly bytes: number;
}

/**
 * Packs the SDK as a package of its own, which is what programs install: the code in one file, its types, nothing to
 * be installed with it.
 * @param folder emptied first; default: dist/sdk
 * @throws when its types need more than a browser has
 */
export async function packSdk(folder = DEFAULT_FOLDER): Promise<PackedSdk> {
  const content = join(folder, 'package');
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(content, 'sdk'), { recursive: true });
  await writeCode(join(content, 'sdk/index.js'));
  await writeTypes(join(content, 'sdk'));
  await writeManifest(content);
  await copyFile(join(ROOT, 'LICENSE'), join(content, 'LICENSE'));
  await copyFile(join(ROOT, 'src/sdk/README.md'), join(content, 'README.md'));
  await copyFile(
    join(ROOT, 'node_modules/graphql-ws/LICENSE.md'),
    join(content, 'sdk/LICENSE-graphql-ws.md'),
  );
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd: content },
  );
  const [{ filename }] = packed.parse(JSON.parse(stdout));
  const file = join(folder, filename);
  return { file, bytes: (await stat(file)).size };
}

/** One file for every platform: what is imported is in it, and nothing of Node can be. */
async function writeCode(outfile: string): Promise<void> {
  await build({
    entryPoints: [ENTRY],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    banner: { js: '// Millrace SDK. Holds the client of graphql-ws, see LICENSE-graphql-ws.md.' },
    logLevel: 'warning',
  });
}

/** The types as the compiler writes them, in a world with a browser's globals and none of Node's. */
async function writeTypes(outDir: string): Promise<void> {
  const program = ts.createProgram([ENTRY], {
    ...compilerOptions(),
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    types: [],
    rootDir: join(ROOT, 'src/sdk'),
    outDir,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    removeComments: false,
  });
  const written: Promise<void>[] = [];
  const { diagnostics } = program.emit(undefined, (path, text) => {
    written.push(writeType(path, publishable(text)));
  });
  await Promise.all(written);
  const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (problems.length > 0) throw new Error(ts.formatDiagnostics(problems, formatHost));
  await writeType(join(outDir, 'typed-document.d.ts'), TYPED_DOCUMENT);
}

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => ROOT,
  getNewLine: () => '\n',
};

function compilerOptions(): ts.CompilerOptions {
  const read: { readonly config?: unknown } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  return ts.parseJsonConfigFileContent(read.config, ts.sys, ROOT).options;
}

async function writeType(path: string, text: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
}

/** The one type that generated code takes from a package, which would bring `graphql` along. */
const TYPED_DOCUMENT = `export interface DocumentTypeDecoration<TResult, TVariables> {
  __apiType?: (variables: TVariables) => TResult;
}
`;

/** With imports that programs can follow. */
function publishable(text: string): string {
  return text
    .replaceAll(/(from |import\()(['"])(\.[^'"]+)\.ts\2/g, '$1$2$3.js$2')
    .replace(`'@graphql-typed-document-node/core'`, `'../typed-document.js'`);
}

async function writeManifest(folder: string): Promise<void> {
  const { version, license, engines } = manifest.parse(
    JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')),
  );
  const content = {
    name: 'millrace',
    version,
    description: 'Client of a Millrace server: start background jobs, watch them live, read typed results.',
    license,
    type: 'module',
    sideEffects: false,
    engines,
    exports: {
      './sdk': { types: './sdk/index.d.ts', default: './sdk/index.js' },
      './package.json': './package.json',
    },
    files: ['sdk'],
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { file, bytes } = await packSdk();
  console.log(`${file} (${(bytes / 1_000).toFixed(1)} kB)`);
}

import { readFileSync, writeFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
  type GraphQLNamedType,
} from 'graphql';
import { jobCatalogue } from '../jobs/index.ts';
import { breakingChanges } from './schema-changes.ts';
import { schema } from './schema.ts';
import { pascalCase } from './zod-node.ts';

/**
 * Writes what is committed of the schema: schema.graphql, and what of the SDK follows from the kinds of job. With `--check`
 * it says whether the files are what the code would write, and whether the schema breaks clients of the last release:
 * exit 1 names the first line that differs, or each change. With `--release` the schema is the last release's from now on.
 */
const RELEASED = new URL('released.graphql', import.meta.url);
const files = [
  { path: 'schema.graphql', content: `${printSchema(lexicographicSortSchema(schema))}\n` },
  { path: 'src/sdk/operations/job-kinds.graphql', content: kindOperations() },
];

function kindOperations(): string {
  const contracts = Object.values(jobCatalogue);
  const results = contracts.map(({ kind }) => {
    const name = `${pascalCase(kind)}Result`;
    return block(`  ... on ${name}`, selectionOf(schema.getType(name)), '    ');
  });
  const fragment = ['fragment JobResultFields on JobResult {', '  __typename', ...results, '}'].join('\n');
  const starts = contracts
    .filter(({ startable }) => startable === 'api')
    .map(({ kind }) => startOperation(`tart${pascalCase(kind)}`));
  const note = '# Printed from the kinds of job by `npm run schema:print`; do not edit.';
  return `${[note, fragment, ...starts].join('\n\n')}\n`;
}

/** All fields of an object type, and all of the objects in them. */
function selectionOf(type: GraphQLNamedType | undefined): string[] {
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => {
    const inner = selectionOf(getNamedType(field.type));
    return inner.length === 0 ? [field.name] : [`${field.name} {`, ...inner.map((line) => `  ${line}`), '}'];
  });
}

function startOperation(tail: string): string {
  const call = block(`  s${tail}(input: $input, options: $options)`, ['...StartedJobFields'], '    ');
  return `mutation S${tail}($input: S${tail}Input!, $options: JobOptions) {\n${call}\n}`;
}

function block(head: string, lines: readonly string[], indent: string): string {
  return [`${head} {`, ...lines.map((line) => indent + line), `${indent.slice(2)}}`].join('\n');
}

function check(path: string, expected: string, committed: string): void {
  if (committed === expected) return;
  const [right, found] = [expected.split('\n'), committed.split('\n')];
  const index = right.findIndex((line, at) => line !== found[at]);
  const at = index === -1 ? right.length : index;
  console.error(
    [
      `${path} differs from the code at line ${at + 1}:`,
      `  in the file: ${found[at] ?? '(nothing)'}`,
      `  by the code: ${right[at] ?? '(nothing)'}`,
      'Run `npm run schema:print` and commit the result.',
    ].join('\n'),
  );
  process.exitCode = 1;
}

function checkRelease(): void {
  const changes = breakingChanges(buildSchema(readFileSync(RELEASED, 'utf8')), schema);
  if (changes.length === 0) return;
  console.error(
    [
      'The schema breaks clients of the last release (src/graphql/released.graphql):',
      ...changes.map((change) => `  ${change}`),
      'Deprecate first. When it is meant for a release with a new major number: `npm run schema:release`.',
    ].join('\n'),
  );
  process.exitCode = 1;
}

const [mode] = process.argv.slice(2);
for (const { path, content } of files) {
  const file = new URL(`../../${path}`, import.meta.url);
  if (mode === '--check') check(path, content, readFileSync(file, 'utf8'));
  else writeFileSync(file, content);
}
if (mode === '--check') checkRelease();
if (mode === '--release') writeFileSync(RELEASED, printSchema(lexicographicSortSchema(schema)));

import { buildSchema, Kind, parse, type OperationDefinitionNode } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import * as sdk from '../../src/sdk/index.ts';
import { rootFieldsOf } from '../support/schema-operations.ts';
import { codeOf, readText, sourceFiles } from '../support/source-files.ts';

/** The SDK's operations by the name that they are exported under. */
function documents(): ReadonlyMap<string, OperationDefinitionNode> {
  const exported = Object.entries(sdk).filter(([name]) => name.endsWith('Document'));
  return new Map(
    exported.flatMap(([name, text]) => {
      const { definitions } = parse(String(text));
      const operation = definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
      return operation ? [[name, operation] as const] : [];
    }),
  );
}

const ROOTS = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;

describe('the SDK', () => {
  let rootFields: readonly string[];
  beforeAll(async () => {
    rootFields = rootFieldsOf(buildSchema(await readText('schema.graphql'))).map(({ name }) => name);
  });

  it('has an operation for each field of Query, Mutation and Subscription', () => {
    const reached = new Set(
      [...documents().values()].flatMap(({ operation, selectionSet }) =>
        selectionSet.selections.flatMap((selection) =>
          selection.kind === Kind.FIELD ? [`${ROOTS[operation]}.${selection.name.value}`] : [],
        ),
      ),
    );
    expect(rootFields.length).toBeGreaterThan(50);
    expect(rootFields.filter((field) => !reached.has(field))).toEqual([]);
  });

  it('has a method for each of its operations', async () => {
    const code = (await sourceFiles('src/sdk')).map(codeOf).join('\n');
    // Those that start a job are found by their names: `jobs.start` goes through all that there are.
    const starts = Object.keys(sdk.createClient({ url: 'http://127.0.0.1', token: '' }).jobs.start);
    const isStarted = (name: string): boolean =>
      starts.some((kind) => name === `Start${kind.charAt(0).toUpperCase()}${kind.slice(1)}Document`);
    const unused = [...documents().keys()].filter(
      (name) => !new RegExp(`\\b${name}\\b`).test(code) && !isStarted(name),
    );
    expect(unused).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { JOB_ERROR_CODES, USER_ERROR_CODES } from '../../src/domain/errors.ts';
import { JOB_STATUSES } from '../../src/domain/job-status.ts';
import { builder } from '../../src/graphql/builder.ts';
import { schema } from '../../src/graphql/schema.ts';
import { inputTypeOf } from '../../src/graphql/zod-input.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';

const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');

test('schema.graphql is what the code prints', () => {
  expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toBe(committed);
});

test('every type, field and argument says what it is', () => {
  const silent: string[] = [];
  const look = (where: string, { description }: { description?: string | null | undefined }): void => {
    if (!description) silent.push(where);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    look(type.name, type);
    if (isInputObjectType(type))
      Object.values(type.getFields()).forEach((field) => look(`${type.name}.${field.name}`, field));
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field);
      field.args.forEach((arg) => look(`${type.name}.${field.name}(${arg.name})`, arg));
    }
  }
  expect(silent).toEqual([]);
});

describe('what clients rely on', () => {
  const names = (type: string): string[] => {
    const found = schema.getType(type);
    return isEnumType(found)
      ? found
          .getValues()
          .map(({ name }) => name)
          .sort()
      : [];
  };

  test('enums hold every value that is stored, in upper case', () => {
    expect(names('JobStatus')).toEqual(JOB_STATUSES.map((status) => status.toUpperCase()).sort());
    expect(names('JobKind')).toEqual(
      Object.keys(jobCatalogue)
        .map((kind) => kind.toUpperCase())
        .sort(),
    );
    expect(names('JobErrorCode')).toEqual([...JOB_ERROR_CODES].sort());
    expect(names('UserErrorCode')).toEqual([...USER_ERROR_CODES].sort());
  });

  test('each kind has its mutation, input and result, made from its contract', () => {
    expect(committed).toContain('startProductImport(');
    expect(printSchema(buildSchema(committed))).toMatch(
      /input StartProductImportInput \{[^}]*format: ProductFileFormat! = AUTO[^}]*source: FileSource!/,
    );
    expect(committed).toMatch(/input FileSource @oneOf \{[^}]*uploadId: ID\n/);
    expect(committed).not.toContain('rejectedRowsOf:');
    expect(committed).toMatch(/union JobResult = .*\bProductImportResult\b/);
    expect(names('ProductFileFormat')).toEqual(['AUTO', 'GENERIC_CSV', 'GOOGLE_MERCHANT_TSV', 'SHOPIFY_CSV']);
  });

  test('lists take 50 at a time unless told otherwise', () => {
    const fields = schema.getQueryType()?.getFields();
    for (const list of ['jobs', 'products']) {
      expect(fields?.[list]?.args.find(({ name }) => name === 'first')?.defaultValue).toBe(50);
    }
  });
});

test.each([
  ['Date', 'a date', z.object({ at: z.date().meta({ description: 'x' }) })],
  ['Enum', 'an enum without a name', z.object({ as: z.enum(['a']).meta({ description: 'x' }) })],
  [
    'Record',
    'a record',
    z.object({ by: z.record(z.string(), z.string()).meta({ description: 'x', id: 'By' }) }),
  ],
  ['Silent', 'a field without a description', z.object({ name: z.string() })],
])('%s: a contract with %s fails the build of the schema', (name, _what, input) => {
  expect(() => {
    inputTypeOf(`Broken${name}`, input, 'x');
    builder.toSchema();
  }).toThrow(`Broken${name}.`);
});

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
import { breakingChanges, DEPRECATION_REASON, membersOf } from '../../src/graphql/schema-changes.ts';
import { schema } from '../../src/graphql/schema.ts';
import { inputTypeOf } from '../../src/graphql/zod-input.ts';
import { jobCatalogue } from '../../src/jobs/index.ts';

const committed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');

test('schema.graphql is what the code prints', () => {
  expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toBe(committed);
});

test('every type, field, argument and value says what it is', () => {
  const silent: string[] = [];
  let looked = 0;
  const look = (where: string, { description }: { description?: string | null | undefined }): void => {
    looked += 1;
    if (!description) silent.push(where);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    look(type.name, type);
    if (isEnumType(type)) type.getValues().forEach((value) => look(`${type.name}.${value.name}`, value));
    if (isInputObjectType(type))
      Object.values(type.getFields()).forEach((field) => look(`${type.name}.${field.name}`, field));
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field);
      field.args.forEach((arg) => look(`${type.name}.${field.name}(${arg.name})`, arg));
    }
  }
  expect(silent).toEqual([]);
  process.stdout.write(`descriptions: ${looked} of ${looked}\n`);
});

test('what is deprecated says since when, and what to use instead', () => {
  const reasons = membersOf(schema).map(({ reason }) => reason);
  expect(reasons.filter((reason) => typeof reason === 'string' && !DEPRECATION_REASON.test(reason))).toEqual(
    [],
  );
});

describe('a change of the schema', () => {
  const released = buildSchema(`
    type Query { job(id: ID!): Job old: Int @deprecated(reason: "Since 2026-11-25: use \`job\`") }
    type Job { id: ID! status: Status! }
    enum Status { PENDING RUNNING LOST @deprecated(reason: "Since 2026-11-25: use \`PENDING\`") }
  `);
  const changed = (sdl: string): string[] => breakingChanges(released, buildSchema(sdl));

  test('that adds breaks nobody', () => {
    expect(
      changed(`
        type Query { job(id: ID!, at: String): Job jobs: [Job!] old: Int }
        type Job { id: ID! status: Status! name: String }
        enum Status { PENDING RUNNING LOST DONE }
      `),
    ).toEqual([]);
  });

  test('that takes away what was deprecated breaks nobody who listened', () => {
    expect(
      changed(`
        type Query { job(id: ID!): Job }
        type Job { id: ID! status: Status! tries: Int }
        enum Status { PENDING RUNNING }
      `),
    ).toEqual([]);
  });

  test('that takes anything else away, or asks for more, is named', () => {
    expect(
      changed(`
        type Query { job(id: ID!, at: String!): Job old: Int }
        type Job { id: ID! status: Status }
        enum Status { PENDING LOST }
      `),
    ).toEqual([
      'A required arg at on Query.job was added.',
      'Job.status changed type from Status! to Status.',
      'RUNNING was removed from enum type Status.',
    ]);
  });

  test('breaks no client of the last release', () => {
    const last = readFileSync(new URL('../../src/graphql/released.graphql', import.meta.url), 'utf8');
    expect(breakingChanges(buildSchema(last), schema)).toEqual([]);
  });
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

import { isDeepStrictEqual } from 'node:util';
import {
  buildSchema,
  executeSync,
  getVariableValues,
  Kind,
  NoDeprecatedCustomRule,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import { z } from 'zod';
import { readSpecification, type Contract } from './contract.ts';
import type { MockRequest } from './mock-server.ts';

export const GRAPHQL_PATH = '/admin/api/2026-10/graphql.json';

const wireBody = z.strictObject({ query: z.string(), variables: z.record(z.string(), z.unknown()) });

/** A query that can be read, with its variables and the one operation that it has. */
export function readQuery(request: MockRequest) {
  const { query, variables } = wireBody.parse(JSON.parse(request.body));
  const document = parse(query);
  const operation = document.definitions.find((each) => each.kind === Kind.OPERATION_DEFINITION);
  if (!operation) throw new Error('there is no operation');
  return { document, operation, variables };
}

let contract: Promise<Contract | null> | null = null;

/** Reading the schema takes longer than most tests. */
export function shopifyContract(): Promise<Contract | null> {
  contract ??= readContract();
  return contract;
}

/** Queries and answers against Shopify's own schema; null where the tests have none. */
async function readContract(): Promise<Contract | null> {
  const text = await readSpecification('shopify/admin-2026-10.trimmed.graphql');
  if (text === null) return null;
  const schema = buildSchema(text, { assumeValidSDL: true });
  return {
    problemsOfRequest: (request) => (request.path === GRAPHQL_PATH ? problemsOfQuery(schema, request) : []),
    problemsOfAnswer: (request, { json }) =>
      request.path === GRAPHQL_PATH ? problemsOfData(schema, request, json) : [],
  };
}

function problemsOfQuery(schema: GraphQLSchema, request: MockRequest): string[] {
  const { document, operation, variables } = readQuery(request);
  const errors = validate(schema, document, [...specifiedRules, NoDeprecatedCustomRule]);
  const values = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  return [...errors, ...(values.errors ?? [])].map((error) => error.message);
}

const withData = z.object({ data: z.record(z.string(), z.unknown()) });

/** An answer is one that the schema could have given: it comes out of it as it went in. */
function problemsOfData(schema: GraphQLSchema, request: MockRequest, json: unknown): string[] {
  const answered = withData.safeParse(json);
  if (!answered.success) return [];
  const { document, variables } = readQuery(request);
  const result = run(schema, document, answered.data.data, variables);
  const errors = (result.errors ?? []).map((error) => `answer: ${error.message}`);
  const again: unknown = JSON.parse(JSON.stringify(result.data));
  const isSame = isDeepStrictEqual(again, answered.data.data);
  return errors.length > 0 || isSame ? errors : ['answer: it has more than was asked for'];
}

function run(
  schema: GraphQLSchema,
  document: DocumentNode,
  rootValue: object,
  variableValues: Readonly<Record<string, unknown>>,
) {
  return executeSync({ schema, document, rootValue, variableValues, fieldResolver });
}

const record = z.record(z.string(), z.unknown());

/** An answer names its fields as the query does. */
const fieldResolver: GraphQLFieldResolver<unknown, unknown> = (source, _args, _context, { path }) =>
  record.parse(source)[path.key];

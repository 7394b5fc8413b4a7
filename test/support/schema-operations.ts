import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

const ROOTS = { Query: 'query', Mutation: 'mutation', Subscription: 'subscription' } as const;
type RootName = keyof typeof ROOTS;

/** A field of Query, Mutation or Subscription. */
export interface RootField {
  /** "Mutation.cancelJob" */
  readonly name: string;
  readonly root: RootName;
  readonly field: GraphQLField<unknown, unknown>;
}

export function rootFieldsOf(schema: GraphQLSchema): RootField[] {
  return (['Query', 'Mutation', 'Subscription'] as const).flatMap((root) =>
    Object.values(schema.getType(root) ? fieldsOfRoot(schema, root) : {}).map((field) => ({
      name: `${root}.${field.name}`,
      root,
      field,
    })),
  );
}

function fieldsOfRoot(schema: GraphQLSchema, root: RootName) {
  const types = {
    Query: schema.getQueryType(),
    Mutation: schema.getMutationType(),
    Subscription: schema.getSubscriptionType(),
  };
  return types[root]?.getFields() ?? {};
}

type Input = GraphQLArgument | GraphQLInputField;
/** From an argument down to a value inside it: ["input", "source", "uploadId"] */
export type InputPath = readonly string[];

/** Deeper inputs are not looked into: none of ours is. */
const DEPTH_MAX = 5;

/** Where a field takes ids. */
export function idPathsOf({ field }: RootField): InputPath[] {
  return field.args.flatMap((arg) => idPathsIn(arg, []));
}

function idPathsIn(input: Input, above: InputPath): InputPath[] {
  const path = [...above, input.name];
  const named = getNamedType(input.type);
  if (named.name === 'ID') return [path];
  if (!isInputObjectType(named) || path.length > DEPTH_MAX) return [];
  return Object.values(named.getFields()).flatMap((inner) => idPathsIn(inner, path));
}

/** An operation of one field: all that it requires has a sample, and `at` has `id`. */
export function operationOf(
  { root, field }: RootField,
  at?: { readonly path: InputPath; readonly id: string },
): string {
  const given = field.args
    .filter((arg) => isNonNullType(arg.type) || arg.name === at?.path[0])
    .map((arg) => `${arg.name}: ${sampleOf(arg.type, inside(at, arg.name))}`);
  const args = given.length > 0 ? `(${given.join(', ')})` : '';
  return `${ROOTS[root]} { it: ${field.name}${args}${selectionOf(field.type, 2)} }`;
}

type At = { readonly path: InputPath; readonly id: string } | undefined;

const inside = (at: At, name: string): At =>
  at && at.path[0] === name ? { path: at.path.slice(1), id: at.id } : undefined;

const SAMPLES: Readonly<Record<string, string>> = {
  Int: '1',
  Float: '1',
  Boolean: 'true',
  SafeInt: '1',
  Date: '"2026-01-01"',
  DateTime: '"2030-01-01T00:00:00Z"',
};

function sampleOf(type: GraphQLInputType, at: At): string {
  if (isNonNullType(type)) return sampleOf(type.ofType, at);
  if (isListType(type)) return `[${sampleOf(type.ofType, at)}]`;
  if (at?.path.length === 0) return JSON.stringify(at.id);
  if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
  if (!isInputObjectType(type)) return SAMPLES[type.name] ?? '"sample"';
  const fields = Object.values(type.getFields());
  const wanted = fields.filter((field) => isNonNullType(field.type) || field.name === at?.path[0]);
  const chosen = type.isOneOf ? (wanted.length > 0 ? wanted : fields).slice(0, 1) : wanted;
  return `{ ${chosen.map((field) => `${field.name}: ${sampleOf(field.type, inside(at, field.name))}`).join(', ')} }`;
}

/** All that needs no arguments, to a depth. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (isAbstractType(named) && !('getFields' in named)) return ' { __typename }';
  const fields = 'getFields' in named ? Object.values(named.getFields()) : [];
  const inner = fields
    .filter((field) => field.args.every((arg) => !isNonNullType(arg.type)))
    .filter((field) => isLeafType(getNamedType(field.type)) || depth > 1)
    .map((field) => `${field.name}${selectionOf(field.type, depth - 1)}`);
  return ` { ${['__typename', ...inner].join(' ')} }`;
}

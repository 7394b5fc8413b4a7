import {
  getNamedType,
  getNullableType,
  getVariableValues,
  isCompositeType,
  isListType,
  Kind,
  separateOperations,
  type DocumentNode,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';
import { getComplexity, type ComplexityEstimatorArgs } from 'graphql-query-complexity';
import { PAGE_SIZE_DEFAULT } from '../domain/api-limits.ts';
import { LruMap } from '../lib/lru-map.ts';

/** What a list without a page size is taken to hold: such lists are short by design. */
const SHORT_LIST = 10;
/** A mutation writes, and most start work. */
const MUTATION = 5;
/** The schema is in memory: whatever part of it is asked for costs the same. */
const INTROSPECTION = 10;
/** Fields that are looked at; fragments that spread each other again and again would be looked at for ever. */
const NODES_MAX = 10_000;
/** Costs that are remembered of one document, by the variables that they may depend on */
const REMEMBERED_MAX = 100;

export interface PricedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variableValues?: Readonly<Record<string, unknown>> | null | undefined;
}

const known = new WeakMap<DocumentNode, LruMap<string, number>>();

/**
 * Points of an operation, at least 1: one for an object, and for a list as many as it may hold by its `first`, each
 * with all that is asked of it. Single values are free.
 * @returns Infinity for a document whose fragments unfold to more fields than are looked at
 */
export function costOf(operation: PricedOperation): number {
  const { document } = operation;
  const ofDocument = known.get(document) ?? new LruMap<string, number>({ weightMax: REMEMBERED_MAX });
  known.set(document, ofDocument);
  const key = deciding(operation);
  if (key === null) return compute(operation);
  const found = ofDocument.get(key) ?? compute(operation);
  ofDocument.set(key, found);
  return found;
}

const KEY_LENGTH_MAX = 200;

/** What a cost may depend on: sizes and conditions; null when that is too much to be a key. */
function deciding({ operationName, variableValues }: PricedOperation): string | null {
  const values = Object.entries(variableValues ?? {}).map(([name, value]) => [
    name,
    value === null || typeof value === 'number' || typeof value === 'boolean' ? value : 'given',
  ]);
  const key = JSON.stringify([operationName ?? null, values]);
  return key.length > KEY_LENGTH_MAX ? null : key;
}

function compute(operation: PricedOperation): number {
  const { schema, variableValues } = operation;
  const query = partOf(operation);
  try {
    const variables = { ...variableValues };
    const points = getComplexity({
      schema,
      query,
      variables,
      estimators: [pointsOf],
      maxQueryNodes: NODES_MAX,
    });
    return Math.max(1, points);
  } catch {
    // Variables of the wrong type are told by the execution, in its own words.
    return hasUsableVariables(operation) ? Infinity : 1;
  }
}

/** The operation that is meant, with its fragments; of a name that is not there, all: it runs nothing anyway. */
function partOf({ document, operationName }: PricedOperation): DocumentNode {
  if (typeof operationName !== 'string') return document;
  return separateOperations(document)[operationName] ?? document;
}

function hasUsableVariables({ schema, document, variableValues }: PricedOperation): boolean {
  return document.definitions
    .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
    .every(
      ({ variableDefinitions = [] }) =>
        !getVariableValues(schema, variableDefinitions, variableValues ?? {}).errors,
    );
}

function pointsOf({ type, field, args, childComplexity }: ComplexityEstimatorArgs): number {
  if (field.name.startsWith('__')) return field.name === '__typename' ? 0 : INTROSPECTION;
  const base = type.name === 'Mutation' ? MUTATION : 0;
  if (!isCompositeType(getNamedType(field.type))) return base;
  return base + sizeOf(field.type, args, field.name === 'edges') * (1 + childComplexity);
}

function sizeOf(type: GraphQLOutputType, args: Readonly<Record<string, unknown>>, isEdges: boolean): number {
  const { first } = args;
  if (typeof first === 'number') return Math.max(1, first);
  if (first === null) return PAGE_SIZE_DEFAULT;
  // A connection has been multiplied by its `first` already.
  return isListType(getNullableType(type)) && !isEdges ? SHORT_LIST : 1;
}

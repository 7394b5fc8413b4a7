import {
  isObjectType,
  isInterfaceType,
  isIntrospectionType,
  Kind,
  separateOperations,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import type { Permission } from '../../auth/permission.ts';
import { ruleOf } from './rules.ts';

/** What an operation needs, each with the first field that needs it: "Mutation.cancelJob". */
export type Requirements = ReadonlyMap<Permission, string>;

const known = new WeakMap<DocumentNode, Map<string, Requirements>>();

/**
 * What the caller of an operation needs for all of its fields, also those that `@skip` leaves out: rules do not depend
 * on values, so that they are checked before anything runs, and once per document.
 * @param operationName null for the only one of the document
 */
export function requirementsOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
): Requirements {
  const ofDocument = known.get(document) ?? new Map<string, Requirements>();
  known.set(document, ofDocument);
  const name = operationName ?? '';
  const found = ofDocument.get(name) ?? collect(schema, partOf(document, name));
  ofDocument.set(name, found);
  return found;
}

/** The operation and its fragments; of a name that is not there, all: it runs nothing anyway. */
function partOf(document: DocumentNode, operationName: string): DocumentNode {
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  if (operations.length === 1) return document;
  return separateOperations(document)[operationName] ?? document;
}

function collect(schema: GraphQLSchema, document: DocumentNode): Requirements {
  const found = new Map<Permission, string>();
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field({ name }) {
        const [parent, field] = [types.getParentType(), types.getFieldDef()];
        if (!field || !(isObjectType(parent) || isInterfaceType(parent))) return;
        if (name.value.startsWith('__') || isIntrospectionType(parent)) return;
        const rule = ruleOf(parent, field);
        if (rule === null) throw new Error(`no rule for ${parent.name}.${name.value}`);
        if (!found.has(rule)) found.set(rule, `${parent.name}.${name.value}`);
      },
    }),
  );
  return found;
}

import {
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { isPermission, type Permission } from '../../auth/permission.ts';

type Composite = GraphQLObjectType | GraphQLInterfaceType;
type Field = GraphQLField<unknown, unknown>;

/** Nobody comes to a value of another type but through fields of these, which say what they need. */
const ROOTS: readonly string[] = ['Query', 'Mutation', 'Subscription'];

/** For the `extensions` of a field or a type: what a caller needs for it, or for each of the type's fields. */
export function needs(permission: Permission): { readonly needs: Permission } {
  return { needs: permission };
}

/**
 * What a caller needs for a field: what it says itself, else what its type says, else to read.
 * @returns null for a field of a root type that says nothing: it has no rule, and nobody may use it
 */
export function ruleOf(parent: Composite, field: Field): Permission | null {
  return saidBy(field) ?? saidBy(parent) ?? (ROOTS.includes(parent.name) ? null : 'read');
}

/** @returns the schema. @throws Error that names each field without a rule: such a schema is not served */
export function withRules(schema: GraphQLSchema): GraphQLSchema {
  const without = fieldsOf(schema).filter(({ parent, field }) => ruleOf(parent, field) === null);
  if (without.length === 0) return schema;
  const names = without.map(({ parent, field }) => `${parent.name}.${field.name}`);
  throw new Error(`expected \`extensions: needs(…)\` on ${names.join(', ')}`);
}

/** Every field that an operation can name, but introspection's. */
export function fieldsOf(schema: GraphQLSchema): { readonly parent: Composite; readonly field: Field }[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) || isInterfaceType(type))
    .filter((type) => !isIntrospectionType(type))
    .flatMap((parent) => Object.values(parent.getFields()).map((field) => ({ parent, field })));
}

function saidBy({
  extensions,
}: {
  readonly extensions: Readonly<Record<string, unknown>>;
}): Permission | null {
  const said = extensions['needs'];
  return isPermission(said) ? said : null;
}

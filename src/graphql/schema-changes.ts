import {
  BreakingChangeType,
  findBreakingChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  type GraphQLSchema,
} from 'graphql';

/** What a reason of `@deprecated` looks like: clients can plan by it. */
export const DEPRECATION_REASON = /^Since \d{4}-\d\d-\d\d: use `[^`]+`/;

/**
 * What of `next` breaks clients that were written for `released`, for people. Something that was deprecated in the
 * release may go: whoever used it has been told.
 */
export function breakingChanges(released: GraphQLSchema, next: GraphQLSchema): string[] {
  const announced = deprecatedIn(released);
  return findBreakingChanges(released, next)
    .filter(
      ({ type, description }) =>
        !(REMOVALS.has(type) && announced.some((name) => isAbout(description, name))),
    )
    .map(({ description }) => description);
}

const REMOVALS: ReadonlySet<BreakingChangeType> = new Set([
  BreakingChangeType.FIELD_REMOVED,
  BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
]);

interface Deprecated {
  readonly owner: string;
  readonly name: string;
}

interface Member extends Deprecated {
  readonly reason: string | null | undefined;
}

function deprecatedIn(schema: GraphQLSchema): Deprecated[] {
  return membersOf(schema).filter(({ reason }) => typeof reason === 'string');
}

/** Fields of types and inputs, and values of enums. */
export function membersOf(schema: GraphQLSchema): Member[] {
  return Object.values(schema.getTypeMap()).flatMap((type): Member[] => {
    const owner = type.name;
    if (isEnumType(type)) {
      return type.getValues().map(({ name, deprecationReason: reason }) => ({ owner, name, reason }));
    }
    if (isInputObjectType(type)) {
      return Object.values(type.getFields()).map(({ name, deprecationReason: reason }) => ({
        owner,
        name,
        reason,
      }));
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return [];
    return Object.values(type.getFields()).map(({ name, deprecationReason: reason }) => ({
      owner,
      name,
      reason,
    }));
  });
}

function isAbout(description: string, { owner, name }: Deprecated): boolean {
  return (
    description === `${owner}.${name} was removed.` ||
    description === `${name} was removed from enum type ${owner}.`
  );
}

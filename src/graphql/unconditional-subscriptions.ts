import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type ASTVisitor,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * Refuses subscriptions whose one field may be left out by `@skip` or `@include`, as the specification does since 2025
 * (§5.2.4.1): nothing would be left to subscribe to, which graphql-js 16 does not expect.
 */
export function useUnconditionalSubscriptions(): Plugin {
  return { onValidate: ({ addValidationRule }) => addValidationRule(rule) };
}

function rule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition({ operation, selectionSet }) {
      if (operation !== OperationTypeNode.SUBSCRIPTION || !hasCondition(selectionSet, context, new Set()))
        return;
      context.reportError(
        new GraphQLError(
          'The field of a subscription cannot be left out: expected no @skip and no @include.',
        ),
      );
    },
  };
}

function hasCondition(
  { selections }: SelectionSetNode,
  context: ValidationContext,
  seen: Set<FragmentDefinitionNode>,
): boolean {
  return selections.some((selection) => {
    if (selection.directives?.some(({ name }) => name.value === 'skip' || name.value === 'include'))
      return true;
    if (selection.kind === Kind.FIELD) return false;
    if (selection.kind === Kind.INLINE_FRAGMENT) return hasCondition(selection.selectionSet, context, seen);
    const fragment = context.getFragment(selection.name.value);
    if (!fragment || seen.has(fragment)) return false;
    seen.add(fragment);
    return hasCondition(fragment.selectionSet, context, seen);
  });
}

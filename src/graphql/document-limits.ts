import {
  GraphQLError,
  Kind,
  parse,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type ParseOptions,
  type SelectionSetNode,
  type Source,
  type ValidationRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { ALIASES_MAX, DEPTH_MAX, DOCUMENT_TOKENS_MAX } from './limits.ts';

/** Refuses documents that are too long, too deep or full of aliases, before anything is resolved. */
export function useDocumentLimits(): Plugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options?: ParseOptions) =>
        parse(source, { ...options, maxTokens: DOCUMENT_TOKENS_MAX }),
      );
    },
    onValidate: ({ addValidationRule }) => addValidationRule(limitsRule),
  };
}

const limitsRule: ValidationRule = (context) => ({
  Document(document) {
    const depth = depthOf(document);
    if (depth > DEPTH_MAX) context.reportError(tooMuch(`fields nested ${depth} deep`, `${DEPTH_MAX}`));
    const aliases = aliasesIn(document);
    if (aliases > ALIASES_MAX) context.reportError(tooMuch(`${aliases} aliases`, `${ALIASES_MAX}`));
  },
});

function tooMuch(got: string, allowed: string): GraphQLError {
  return new GraphQLError(`The document has ${got}; at most ${allowed} are allowed.`, {
    extensions: { code: 'LIMIT_EXCEEDED' },
  });
}

function aliasesIn(document: DocumentNode): number {
  let aliases = 0;
  visit(document, {
    Field(node) {
      if (node.alias) aliases += 1;
    },
  });
  return aliases;
}

/** Fields below fields, through fragments. Introspection is deep by nature, and bounded by the schema. */
function depthOf(document: DocumentNode): number {
  const fragments = new Map(
    document.definitions
      .filter((node) => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const known = new Map<FragmentDefinitionNode, number>();

  function ofFragment(name: string): number {
    const fragment = fragments.get(name);
    if (!fragment) return 0;
    const depth = known.get(fragment);
    if (depth !== undefined) return depth;
    // A fragment that spreads itself is refused by a rule of its own; here it must only end.
    known.set(fragment, 0);
    const found = ofSelections(fragment.selectionSet);
    known.set(fragment, found);
    return found;
  }

  function ofSelections({ selections }: SelectionSetNode): number {
    const depths = selections.map((selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value);
      if (selection.kind === Kind.INLINE_FRAGMENT) return ofSelections(selection.selectionSet);
      if (selection.name.value.startsWith('__') || !selection.selectionSet) return 1;
      return 1 + ofSelections(selection.selectionSet);
    });
    return depths.reduce((deepest, depth) => Math.max(deepest, depth), 0);
  }

  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  return Math.max(0, ...operations.map((operation) => ofSelections(operation.selectionSet)));
}

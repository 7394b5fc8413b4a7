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
import type { ApiLimits } from '../domain/api-limits.ts';
import { problem } from './errors.ts';

type DocumentLimits = Pick<ApiLimits, 'depth' | 'aliases' | 'directives' | 'tokens'>;

/** Refuses documents that are too long, too deep or full of aliases or directives, before anything is resolved. */
export function useDocumentLimits(limits: DocumentLimits): Plugin {
  const rule = limitsRule(limits);
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string | Source, options?: ParseOptions) =>
        parseWithin(limits.tokens, source, options),
      );
    },
    onValidate: ({ addValidationRule }) => addValidationRule(rule),
  };
}

/** How graphql-js says it, in words that it may mend one day. */
const TOO_MANY_TOKENS = /Document contains more tha\w \d+ tokens/;

/** @throws GraphQLError that names the limit, where graphql-js says that it is a syntax error */
function parseWithin(tokens: number, source: string | Source, options?: ParseOptions): DocumentNode {
  try {
    return parse(source, { ...options, maxTokens: tokens });
  } catch (error) {
    if (!(error instanceof GraphQLError) || !TOO_MANY_TOKENS.test(error.message)) throw error;
    throw tooMuch('more tokens than are read', tokens);
  }
}

const limitsRule =
  (limits: DocumentLimits): ValidationRule =>
  (context) => ({
    Document(document) {
      const depth = depthOf(document);
      const { aliases, directives } = countIn(document);
      if (depth > limits.depth) context.reportError(tooMuch(`fields nested ${depth} deep`, limits.depth));
      if (aliases > limits.aliases) context.reportError(tooMuch(`${aliases} aliases`, limits.aliases));
      if (directives > limits.directives)
        context.reportError(tooMuch(`${directives} directives`, limits.directives));
    },
  });

function tooMuch(got: string, allowed: number): GraphQLError {
  const message = `The document has ${got}; at most ${allowed} are allowed.`;
  return problem('LIMIT_EXCEEDED', message, { http: { status: 400, spec: true } });
}

function countIn(document: DocumentNode): { aliases: number; directives: number } {
  const counts = { aliases: 0, directives: 0 };
  visit(document, {
    Field(node) {
      if (node.alias) counts.aliases += 1;
    },
    Directive() {
      counts.directives += 1;
    },
  });
  return counts;
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

import { GraphQLError, type ExecutionResult, type ValidationRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { problem } from './errors.ts';

/** What graphql-js adds to the name of an unknown field, argument, type or value: names of the schema. */
const SUGGESTION = / Did you mean .+\?$/;

/** For installations whose schema is nobody's business: no introspection, and no names in the text of errors. */
export function useHiddenSchema(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(noIntrospection);
      return ({ result, setResult }) => {
        if (Array.isArray(result)) setResult(result.map(withoutSuggestion));
      };
    },
    // Variables are looked at when the operation runs.
    onExecute: () => ({ onExecuteDone: hideSuggestions }),
    onSubscribe: () => ({ onSubscribeResult: hideSuggestions }),
  };
}

const noIntrospection: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value !== '__schema' && node.name.value !== '__type') return;
    context.reportError(problem('FORBIDDEN', 'This server does not tell its schema: INTROSPECTION is off.'));
  },
});

function hideSuggestions({
  result,
  setResult,
}: {
  readonly result: unknown;
  readonly setResult: (result: ExecutionResult) => void;
}): void {
  if (!isRefusal(result)) return;
  setResult({ ...result, errors: result.errors?.map(withoutSuggestion) ?? [] });
}

/** The result of an operation that did not run. */
function isRefusal(result: unknown): result is ExecutionResult {
  return typeof result === 'object' && result !== null && 'errors' in result && !('data' in result);
}

function withoutSuggestion(error: GraphQLError): GraphQLError {
  if (!SUGGESTION.test(error.message)) return error;
  const { nodes, extensions } = error;
  return new GraphQLError(error.message.replace(SUGGESTION, ''), { nodes: nodes ?? null, extensions });
}

import { Kind, type DocumentNode, type ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isDocument } from './ordered-execution.ts';

/**
 * Answers about the schema are kept: they are the same for everybody and for as long as the process lives, and the one
 * that tools ask for takes some ten milliseconds to make. Nothing else is: what a caller sees depends on who it is and
 * on what happened last, and a dashboard's panels keep their last good values themselves.
 */
export function useSchemaAnswers(): Plugin {
  const answers = new WeakMap<DocumentNode, ExecutionResult>();
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const document: unknown = args.document;
      if (!isDocument(document) || !asksOnlyForSchema(document)) return;
      setExecuteFn((own) => {
        const known = answers.get(document);
        if (known) return known;
        const answer: unknown = executeFn(own);
        if (isWhole(answer)) answers.set(document, answer);
        return answer;
      });
    },
  };
}

/** One query without variables that selects nothing but the schema, and no fragments beside its fields. */
function asksOnlyForSchema({ definitions }: DocumentNode): boolean {
  const operations = definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const [operation] = operations;
  if (!operation || operations.length > 1 || (operation.variableDefinitions?.length ?? 0) > 0) return false;
  return operation.selectionSet.selections.every(
    (node) => node.kind === Kind.FIELD && (node.name.value === '__schema' || node.name.value === '__type'),
  );
}

function isWhole(answer: unknown): answer is ExecutionResult {
  return typeof answer === 'object' && answer !== null && 'data' in answer && !('errors' in answer);
}

import { Kind, OperationTypeNode, type DocumentNode, type SelectionSetNode } from 'graphql';
import { isDocument } from './ordered-execution.ts';

/**
 * The mutations that an operation names, each once; none of another kind of operation.
 * @param document typed any by the plugins' interface, as is the name
 */
export function mutationsIn(document: unknown, operationName: unknown): readonly string[] {
  if (!isDocument(document)) return [];
  const operation = document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .find(({ name }) => !operationName || name?.value === operationName);
  if (operation?.operation !== OperationTypeNode.MUTATION) return [];
  return [...new Set(fieldsIn(document, operation.selectionSet))].filter((name) => !name.startsWith('__'));
}

/** A validated document's fragments do not spread themselves. */
function fieldsIn(document: DocumentNode, { selections }: SelectionSetNode): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsIn(document, selection.selectionSet);
    const fragment = document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .find(({ name }) => name.value === selection.name.value);
    return fragment ? fieldsIn(document, fragment.selectionSet) : [];
  });
}

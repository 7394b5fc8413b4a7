import { visit, type DocumentNode, type ExecutionArgs, type GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { GraphQLContext } from './context.ts';
import { inputProblem } from './errors.ts';

/** NUL, and halves of a surrogate pair: JSON and JavaScript have them in texts, PostgreSQL and UTF-8 do not. */
const NOT_STORABLE = /[\0\p{Surrogate}]/u;

type Path = readonly string[];

/** Steps of a path that are told: no input of ours is deeper. */
const PATH_MAX = 20;

/** Where the document itself has such a text; asked once per parsed document. */
const inDocuments = new WeakMap<DocumentNode, Path | null>();

/** Refuses operations with a text that no database holds, wherever it stands: no resolver has to think of it. */
export function useStorableText(): Plugin<GraphQLContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const refusal = refusalOf(args);
      if (refusal) setResultAndStopExecution({ data: null, errors: [refusal] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const refusal = refusalOf(args);
      if (refusal) setResultAndStopExecution({ errors: [refusal] });
    },
  };
}

type Texts = Pick<ExecutionArgs, 'document' | 'variableValues'>;

function refusalOf({ document, variableValues }: Texts): GraphQLError | null {
  const path = inVariables(variableValues) ?? inDocument(document);
  return (
    path &&
    inputProblem(
      path.slice(0, PATH_MAX),
      'expected text without U+0000 and without half of a surrogate pair.',
    )
  );
}

interface Place {
  readonly value: unknown;
  readonly key: string;
  readonly above: Place | null;
}

/** Without recursion, and without a path until one is needed: clients say how deep variables are. */
function inVariables(variables: unknown): Path | null {
  const rest: Place[] = [{ value: variables, key: '', above: null }];
  for (let place = rest.pop(); place; place = rest.pop()) {
    const { value } = place;
    if (typeof value === 'string' && NOT_STORABLE.test(value)) return pathOf(place);
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'string' || typeof inner === 'object')
        rest.push({ value: inner, key, above: place });
    }
  }
  return null;
}

function pathOf(place: Place): Path {
  const path: string[] = [];
  for (let at: Place | null = place; at?.above; at = at.above) path.push(at.key);
  return path.reverse();
}

function inDocument(document: DocumentNode): Path | null {
  const known = inDocuments.get(document);
  if (known !== undefined) return known;
  const names: string[] = [];
  let found: Path | null = null;
  const named = {
    enter: (node: { readonly name: { readonly value: string } }) => void names.push(node.name.value),
    leave: () => void names.pop(),
  };
  visit(document, {
    Argument: named,
    ObjectField: named,
    StringValue({ value }) {
      if (NOT_STORABLE.test(value)) found ??= [...names];
    },
  });
  inDocuments.set(document, found);
  return found;
}

import { execute, subscribe, visit, BREAK, type DocumentNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Whether a document asks for incremental delivery; asked once per parsed document. */
const incremental = new WeakMap<DocumentNode, boolean>();

/**
 * Answers fields in the order in which they were selected, as the specification asks (§6.2.2 "ordered map"): Yoga's
 * own executor gives them in the order in which they finish. That one stays for `@defer` and `@stream`, which
 * graphql-js 16 does not know.
 */
export function useOrderedExecution(): Plugin {
  return {
    onExecute({ args, setExecuteFn }) {
      if (!isIncremental(args.document)) setExecuteFn(execute);
    },
    onSubscribe({ args, setSubscribeFn }) {
      if (!isIncremental(args.document)) setSubscribeFn(subscribe);
    },
  };
}

function isIncremental(document: DocumentNode): boolean {
  const known = incremental.get(document);
  if (known !== undefined) return known;
  let found = false;
  visit(document, {
    Directive({ name }) {
      found = name.value === 'defer' || name.value === 'stream';
      return found ? BREAK : undefined;
    },
  });
  incremental.set(document, found);
  return found;
}

import { BREAK, execute, Kind, subscribe, visit, type DocumentNode } from 'graphql';
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

/** @param document typed any by the plugins' interface */
export function isIncremental(document: unknown): boolean {
  if (!isDocument(document)) return false;
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

/** What the plugins' interface types any, narrowed. */
export function isDocument(value: unknown): value is DocumentNode {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === Kind.DOCUMENT;
}

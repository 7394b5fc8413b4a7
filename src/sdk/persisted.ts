import * as generated from './generated/graphql.ts';

/** Texts of all operations that this SDK sends, for servers that run only what they know. */
export const SDK_OPERATIONS: readonly string[] = Object.entries(generated)
  .filter(([name]) => name.endsWith('Document'))
  .map(([, document]) => document.toString());

import { Lexer, Source, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { problem } from './errors.ts';

/** Braces, brackets and parentheses within each other: far more than fields may be nested, far fewer than a stack takes. */
const NESTING_MAX = 150;
/** Words that are looked at; documents with more are refused by their number. */
const TOKENS_MAX = 100_000;

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** Refuses documents over whose nesting the parser, which is recursive, would run out of stack. Comes behind what sets a parser. */
export function useNestingLimit(): Plugin {
  return {
    onParse({ parseFn, setParseFn }) {
      setParseFn((source: string | Source, options?: object): unknown => {
        checkNesting(typeof source === 'string' ? new Source(source) : source);
        return parseFn(source, options);
      });
    },
  };
}

/** @throws GraphQLError, also for what is no word of the language */
function checkNesting(source: Source): void {
  const lexer = new Lexer(source);
  let depth = 0;
  for (let count = 0; count < TOKENS_MAX; count += 1) {
    const { kind } = lexer.advance();
    if (kind === TokenKind.EOF) return;
    if (OPENING.has(kind)) depth += 1;
    if (CLOSING.has(kind)) depth -= 1;
    if (depth > NESTING_MAX) {
      const message = `The document is nested more than ${NESTING_MAX} deep in braces, brackets and parentheses.`;
      throw problem('LIMIT_EXCEEDED', message, { http: { status: 400, spec: true } });
    }
  }
}

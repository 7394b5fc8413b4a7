import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

type RequestParser = NonNullable<Parameters<NonNullable<Plugin['onRequestParse']>>[0]['requestParser']>;

/** What Yoga answers with a status alone, in words. */
const TEXTS: ReadonlyMap<number, { readonly code: string; readonly message: string }> = new Map([
  [405, { code: 'METHOD_NOT_ALLOWED', message: 'Operations come by POST, queries also by GET.' }],
  [
    406,
    {
      code: 'NOT_ACCEPTABLE',
      message:
        'Accept application/json; for an answer in parts multipart/mixed or text/event-stream, for a subscription text/event-stream.',
    },
  ],
  [
    415,
    {
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'The body of an operation is application/json. Files go by createStagedUpload.',
    },
  ],
]);

/** Whatever is wrong with a request is said in words: what would be right. */
export function useRefusalTexts(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      if (requestParser) setRequestParser((request) => parseWith(requestParser, request));
    },
    onResultProcess({ result, resultProcessor }) {
      // Refused with 406: nobody will read what was begun.
      if (!resultProcessor && Symbol.asyncIterator in result) {
        void result[Symbol.asyncIterator]()
          .return?.()
          .catch(() => undefined);
      }
    },
    onResponse({ response, setResponse, fetchAPI }) {
      const text = TEXTS.get(response.status);
      if (!text || response.body !== null) return;
      const { status, headers } = response;
      headers.set('content-type', 'application/json; charset=utf-8');
      headers.delete('content-length');
      const body = JSON.stringify({ errors: [{ message: text.message, extensions: { code: text.code } }] });
      setResponse(new fetchAPI.Response(body, { status, headers }));
    },
  };
}

/** In an address, variables and extensions are JSON that Yoga reads without looking. */
async function parseWith(
  parser: RequestParser,
  request: Request,
): Promise<Awaited<ReturnType<RequestParser>>> {
  try {
    return await parser(request);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const message = 'variables and extensions in an address: expected JSON.';
    throw new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
  }
}

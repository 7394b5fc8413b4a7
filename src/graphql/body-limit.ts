import type { GraphQLError } from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import type { ApiLimits } from '../domain/api-limits.ts';
import { problem } from './errors.ts';

/**
 * Refuses bodies that are too large. One whose length is announced is refused unread, and never brings more than that:
 * Node ends the request there. Only what comes in chunks is counted while it comes.
 */
export function useBodyLimit({ bodyBytes }: Pick<ApiLimits, 'bodyBytes'>): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser, fetchAPI }) {
      const announced = request.headers.get('content-length');
      if (announced !== null) {
        if (Number(announced) > bodyBytes) throw tooLarge(bodyBytes);
        return;
      }
      if (!requestParser || !request.body) return;
      setRequestParser(async (whole) => requestParser(await taken(whole, bodyBytes, fetchAPI)));
    },
  };
}

/** The same request with its body in memory. */
async function taken(request: Request, bytesMax: number, fetchAPI: FetchAPI): Promise<Request> {
  const chunks: Uint8Array[] = [];
  const reader = request.body?.getReader();
  for (let bytes = 0; ;) {
    const next = await reader?.read();
    if (!next || next.done) break;
    bytes += next.value.byteLength;
    // What was read is not given back, so that the connection stays for the answer.
    if (bytes > bytesMax) throw tooLarge(bytesMax, { connection: 'close' });
    chunks.push(next.value);
  }
  const { url, method, headers, signal } = request;
  return new fetchAPI.Request(url, { method, headers, signal, body: Buffer.concat(chunks) });
}

const figures = new Intl.NumberFormat('en');

function tooLarge(bytesMax: number, headers: Readonly<Record<string, string>> = {}): GraphQLError {
  return problem(
    'LIMIT_EXCEEDED',
    `The request's body is too large; at most ${figures.format(bytesMax)} bytes are allowed.`,
    { http: { status: 413, headers } },
  );
}

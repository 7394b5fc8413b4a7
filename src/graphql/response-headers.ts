import type { Plugin } from 'graphql-yoga';

/** GraphiQL comes with all of its code inside the page, and its editor starts workers from there. */
const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  'worker-src blob: data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What an answer says beside its body. */
export function useResponseHeaders(): Plugin {
  return {
    onResponse({ response: { headers } }) {
      const type = headers.get('content-type') ?? '';
      if (type.startsWith('text/html')) headers.set('content-security-policy', GRAPHIQL_POLICY);
      if (!type.startsWith('text/event-stream')) return;
      // Proxies must neither collect nor compress a stream.
      headers.set('cache-control', 'no-cache, no-transform');
      headers.set('x-accel-buffering', 'no');
    },
  };
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startApi, type TestApi } from '../support/api.ts';

const FRIEND = 'https://app.example';
const FOREIGNER = 'https://evil.example';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ environment: { CORS_ORIGINS: `${FRIEND}, http://localhost:5173` } });
});
afterAll(() => api.close());

const preflight = (path: string, origin: string): Promise<Response> =>
  fetch(`${api.url}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, content-type, x-organization',
    },
  });

describe('pages of an allowed origin', () => {
  test.each(['/graphql', '/uploads/anything', '/files/anything'])('may ask for %s', async (path) => {
    const { status, headers } = await preflight(path, FRIEND);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(FRIEND);
    expect(headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PUT,DELETE');
    expect(headers.get('access-control-allow-headers')).toContain('authorization');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toContain('Origin');
  });

  test('may read answers, refusals too, and what a caller has left', async () => {
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(api.graphqlUrl, {
        method: 'POST',
        headers: { origin: FRIEND, 'content-type': 'application/json', ...headers },
        body: '{"query":"{ viewer { role } }"}',
      });
    for (const answer of [await ask({ authorization: `Bearer ${api.tokens.viewer}` }), await ask({})]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe(FRIEND);
      expect(answer.headers.get('access-control-expose-headers')).toContain('ratelimit');
    }
  });

  test('may open sockets', async () => {
    expect(await upgradeStatus(FRIEND)).toBe(101);
  });
});

describe('pages of another origin', () => {
  test('are refused with a text that says why', async () => {
    const refused = await preflight('/graphql', FOREIGNER);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    expect(await refused.json()).toEqual({
      code: 'ORIGIN_NOT_ALLOWED',
      message: 'Pages of this origin may not use the API. CORS_ORIGINS lists those that may.',
    });
  });

  test('cannot read answers that need no preflight', async () => {
    const answer = await fetch(`${api.url}/healthz`, { headers: { origin: FOREIGNER } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each([
    ['application/x-www-form-urlencoded', 'query=mutation{cancelJob(id:"x"){userErrors{code}}}'],
    ['text/plain', '{"query":"{ viewer { role } }"}'],
  ])('cannot make somebody else send a form of type %s', async (type, body) => {
    const answer = await fetch(api.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': type, origin: FOREIGNER },
      body,
    });
    expect(answer.status).toBe(401);
  });

  test('cannot open sockets', async () => {
    expect(await upgradeStatus(FOREIGNER)).toBe(403);
  });
});

describe('every answer', () => {
  test.each(['/graphql', '/', '/healthz', '/nothing', '/files/x'])(
    'of %s has security headers',
    async (path) => {
      const { headers } = await fetch(`${api.url}${path}`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('strict-transport-security')).toBeNull();
    },
  );

  test('of GraphiQL allows what its page needs, and nothing from elsewhere', async () => {
    const { headers } = await fetch(api.graphqlUrl, { headers: { accept: 'text/html' } });
    expect(headers.get('content-type')).toContain('text/html');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*/);
  });

  test('behind TLS tells browsers to stay there', async () => {
    await using secure = await startApi({ environment: { PUBLIC_URL: 'https://millrace.example' } });
    const { headers } = await fetch(`${secure.url}/healthz`);
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
  });
});

/** How the server answers a page of this origin that asks for a socket. */
function upgradeStatus(origin: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(api.graphqlUrl.replace('http', 'ws'), 'graphql-transport-ws', { origin });
    socket.once('open', () => {
      socket.close();
      resolve(101);
    });
    socket.once('unexpected-response', (_req, { statusCode }) => resolve(statusCode ?? 0));
    socket.on('error', reject);
  });
}

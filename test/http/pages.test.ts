import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXAMPLE_OPERATIONS } from '../../src/graphql/examples.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApi, type TestApi } from '../support/api.ts';

const DEV_TOKEN = 'a-token-for-development';
let api: TestApi;
beforeAll(async () => {
  api = await startApi({ environment: { MILLRACE_DEV_TOKEN: DEV_TOKEN } });
});
afterAll(() => api.close());

const page = async (path: string, from = api): Promise<{ response: Response; text: string }> => {
  const response = await fetch(from.url + path, { headers: { accept: 'text/html' } });
  return { response, text: await response.text() };
};

/** What a browser would fetch for a page: addresses in tags and styles, not in texts of scripts. */
function loadedFrom(html: string): string[] {
  const outside = html
    .replaceAll(/<script[^>]*>[\s\S]*?<\/script>/g, '')
    .replaceAll(/<style[^>]*>[\s\S]*?<\/style>/g, '');
  const styles = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map(([, css = '']) => css).join('\n');
  return [
    ...[...html.matchAll(/<script[^>]*\bsrc="([^"]*)"/g)].map(([, url = '']) => url),
    ...[...outside.matchAll(/<(?:link|img|iframe|source)[^>]*\b(?:href|src)="([^"]*)"/g)].map(
      ([, url = '']) => url,
    ),
    ...[...styles.matchAll(/(?:@import\s*|url\()\s*['"]?([^'")\s]+)/g)].map(([, url = '']) => url),
  ].filter((url) => !url.startsWith('data:') && !url.startsWith('#'));
}

describe('GraphiQL', () => {
  test('is one page that loads nothing from elsewhere, with the token filled in', async () => {
    const { response, text } = await page('/graphql');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(text).toContain('YogaGraphiQL.renderYogaGraphiQL(');
    // The headers editor holds for subscriptions too, which a WebSocket would not let it.
    expect(text).toContain('"subscriptionsProtocol":"SSE"');
    expect(text).toContain(`Bearer ${DEV_TOKEN}`);
    expect(text).toContain('startProductImport');
    expect(loadedFrom(text)).toEqual([]);
  });

  test('has no token where none was given for development', async () => {
    await using production = await startApi({
      environment: { MILLRACE_DEV_TOKEN: DEV_TOKEN, NODE_ENV: 'production' },
    });
    const { text } = await page('/graphql', production);
    expect(text).toContain('YogaGraphiQL');
    expect(text).not.toContain(DEV_TOKEN);
    expect((await page('/jobs/job_01h455vb4pex5vsknk084sn02q', production)).text).not.toContain(DEV_TOKEN);
  });

  test('opens with examples that the schema knows', () => {
    const wrong = EXAMPLE_OPERATIONS.flatMap((text) => validate(schema, parse(text)));
    expect(wrong).toEqual([]);
    expect(EXAMPLE_OPERATIONS.length).toBeGreaterThan(3);
  });

  test('runs nothing: an address with a query in it is the page, too', async () => {
    const { response, text } = await page(`/graphql?query=${encodeURIComponent('{ viewer { role } }')}`);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(text).not.toContain('"viewer"');
  });
});

describe('the pages', () => {
  test.each(['/', '/jobs/job_01h455vb4pex5vsknk084sn02q'])(
    '%s has all it needs inside and runs no foreign code',
    async (path) => {
      const { response, text } = await page(path);
      expect(response.status).toBe(200);
      expect(loadedFrom(text)).toEqual([]);
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? 'none';
      const inline = [...text.matchAll(/<(?:script|style)\b([^>]*)>/g)].map(
        ([, attributes = '']) => attributes,
      );
      expect(inline.length).toBeGreaterThan(0);
      expect(inline.every((attributes) => attributes.includes(`nonce="${nonce}"`))).toBe(true);
      expect(text).not.toContain('{{');
    },
  );

  test('a job’s page asks only what the schema knows', async () => {
    const { text } = await page('/jobs/job_01h455vb4pex5vsknk084sn02q');
    const settings = /<script id="settings"[^>]*>([^<]*)</.exec(text)?.[1] ?? '';
    const { operations } = JSON.parse(settings) as { operations: Record<string, string> };
    expect(Object.keys(operations)).toEqual(['job', 'events']);
    expect(Object.values(operations).flatMap((operation) => validate(schema, parse(operation)))).toEqual([]);
  });

  test('a job’s page cannot be broken by what stands in the address', async () => {
    const { response } = await page('/jobs/%3Cscript%3Ealert(1)%3C/script%3E');
    expect(response.status).toBe(404);
    expect(await page('/jobs/job_1"><b>')).toMatchObject({ response: { status: 404 } });
  });

  test('what is at no address is 404 as JSON', async () => {
    const response = await fetch(`${api.url}/nothing`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('health', () => {
  test('a server that can serve says so', async () => {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${api.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ok: true, reasons: [] }]);
  });

  test('a server without its database is alive and not ready', async () => {
    await using other = await startApi();
    await other.database.close();
    expect((await fetch(`${other.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${other.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({
      ok: false,
      reasons: ['PostgreSQL does not answer', 'the event bus is not connected'],
    });
  });
});

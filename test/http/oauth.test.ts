import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, MillraceUserError } from '../../src/sdk/index.ts';
import { ALLOWED_KEY, allowingProvider, CODE } from '../support/allowing-provider.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createWorld } from '../support/scripted-provider.ts';

/** Its label is what somebody would call an account who wants a page to run it. */
const provider = allowingProvider(createWorld(1));
let api: TestApi;

beforeAll(async () => {
  // The scripted provider under a name that an app can be configured for.
  const zendesk = { ...provider, provider: 'zendesk' };
  api = await startApi({
    connectors: { zendesk },
    environment: {
      OAUTH_ZENDESK_CLIENT_ID: 'our-app',
      OAUTH_ZENDESK_CLIENT_SECRET: 'the-secret-of-our-app',
      PUBLIC_URL: 'https://millrace.example',
    },
  });
});
afterAll(() => api.close());

const client = (role: 'admin' | 'member' = 'admin') =>
  createClient({ url: api.graphqlUrl, token: api.tokens[role] });

async function begin(): Promise<string> {
  const { url } = await client().connections.begin({ provider: 'zendesk', config: {} });
  return new URL(url).searchParams.get('state') ?? '';
}

async function comeBack(query: Readonly<Record<string, string>>, method = 'GET') {
  const response = await fetch(`${api.url}/oauth/callback?${new URLSearchParams(query).toString()}`, {
    method,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe('whoever comes back from a provider', () => {
  it('was sent there by an admin, and is told what is connected and for whom', async () => {
    const { url } = await client().connections.begin({ provider: 'zendesk', config: {} });
    const sent = new URL(url).searchParams;
    expect(sent.get('redirect_uri')).toBe('https://millrace.example/oauth/callback');
    const page = await comeBack({ code: CODE, state: sent.get('state') ?? '' });
    expect(page.status).toBe(200);
    expect(page.text).toContain(
      'Connected: A scripted account, for Testers Inc.. You can close this window.',
    );
    expect(page.text).not.toContain(ALLOWED_KEY);
    const { edges } = await client().connections.list();
    expect(edges.map(({ node }) => node.label)).toEqual(['A scripted account']);
  });

  it('gets a page that runs nothing, is kept nowhere and tells no other site where it was', async () => {
    const { headers } = await comeBack({ state: 'none' });
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it.each<Record<string, string>>([
    { state: '<script>alert(1)</script>', code: '<img src=x>' },
    { error: '<script>alert(1)</script>', error_description: '<img src=x>' },
    { error: 'constructor', error_description: '{{nonce}}' },
  ])('sees nothing of %j on the page', async (query) => {
    const state = query['state'] ?? (await begin());
    const page = await comeBack({ ...query, state });
    expect(page.status).toBe(400);
    expect(page.text).not.toMatch(/alert|src=x|\{\{|native code/);
  });

  it('may look at the address before: only a GET uses the state', async () => {
    const state = await begin();
    for (const method of ['HEAD', 'POST'])
      expect((await comeBack({ state, code: CODE }, method)).status).toBe(405);
    const denied = await comeBack({ state, error: 'access_denied' });
    expect([denied.status, denied.text]).toEqual([400, expect.stringContaining('access was not allowed')]);
    expect((await comeBack({ state, code: CODE })).text).toContain('was used already');
  });
});

describe('beginning to connect', () => {
  it('is for admins', async () => {
    await expect(client('member').connections.begin({ provider: 'zendesk' })).rejects.toThrow();
  });

  it('names what a person has to mend', async () => {
    const asked = client().connections.begin({ provider: 'stripe' });
    await expect(asked).rejects.toBeInstanceOf(MillraceUserError);
    await expect(asked).rejects.toThrow(/by keys/);
  });

  it('tells beforehand where it works', async () => {
    const providers = await client().connections.providers();
    const canBegin = new Map(providers.map(({ name, canBegin: can }) => [name, can]));
    expect([canBegin.get('zendesk'), canBegin.get('shopify'), canBegin.get('stripe')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

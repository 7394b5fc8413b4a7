import { createClient as createSocket, type Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { insertApiKey, revokeApiKey } from '../../src/repositories/api-keys.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider.ts';
import { seedJob } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';

/** A revocation is noticed within five seconds. */
const NOTICED_MS = 6_000;

let api: TestApi;
let provider: TestIdentityProvider;
const clients: Client[] = [];
beforeAll(async () => {
  provider = await startIdentityProvider();
  api = await startApi({ environment: environmentOf(provider) });
  await api.database.db.query('UPDATE organizations SET external_id = $2 WHERE id = $1', [
    api.organization.id,
    'acme',
  ]);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
});
afterAll(async () => {
  await api.close();
  await provider[Symbol.asyncDispose]();
});

const environmentOf = ({ jwksUrl, issuer, audience }: TestIdentityProvider) => ({
  AUTH_JWKS_URL: jwksUrl,
  AUTH_ISSUER: issuer,
  AUTH_AUDIENCE: audience,
  AUTH_ORGANIZATIONS_CLAIM: 'organizations',
  AUTH_CLOCK_SKEW_SECONDS: '0',
});

const PROGRESS = 'subscription ($id: ID!) { jobProgress(id: $id) { id status } }';

function connect(
  params: object,
  { graphqlUrl }: TestApi = api,
): { readonly client: Client; readonly codes: number[] } {
  const codes: number[] = [];
  const client = createSocket({
    url: graphqlUrl.replace('http', 'ws'),
    connectionParams: { ...params },
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    on: { closed: (event) => codes.push((event as { code: number }).code) },
  });
  clients.push(client);
  return { client, codes };
}

const newKey = () =>
  insertApiKey(api.database.db, {
    organizationId: api.organization.id,
    userId: null,
    name: 'live',
    role: 'viewer',
  });
const revoke = (id: string) =>
  revokeApiKey(api.database.db, { organizationId: api.organization.id, id, revokedBy: 'api:test' });
const runningJob = () => seedJob(api.database.db, api.organization.id, { status: 'running' });

describe('a socket', () => {
  it('is closed with 4403 when its key is revoked, though nothing happens on it', async () => {
    const { id, token } = await newKey();
    const job = await runningJob();
    const { client, codes } = connect({ token });
    const events = client.iterate({ query: PROGRESS, variables: { id: job.id } });
    expect((await events.next()).value).toMatchObject({ data: { jobProgress: { status: 'RUNNING' } } });
    await revoke(id);
    await waitFor(() => codes.includes(4403), { timeoutMs: NOTICED_MS });
    await expect(events.next()).rejects.toMatchObject({ code: 4403 });
  });

  it('is closed with 4403 at the moment when its token expires', async () => {
    const expiresAt = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 3_000);
    const claims = { email: 'ada@example.com', organizations: ['acme'], role: 'viewer' };
    const { client, codes } = connect({ token: await provider.sign(claims, { expiresAt }) });
    const { value } = await client.iterate({ query: '{ viewer { user { email } role } }' }).next();
    expect(value).toMatchObject({ data: { viewer: { user: { email: 'ada@example.com' }, role: 'VIEWER' } } });
    const job = await runningJob();
    const events = client.iterate({ query: PROGRESS, variables: { id: job.id } });
    await events.next();
    await waitFor(() => codes.includes(4403), { timeoutMs: 4_000 });
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
  });

  it('opens the organization that its parameters name', async () => {
    const { token } = await newKey();
    const asked = connect({ token, organization: 'acme' });
    expect((await asked.client.iterate({ query: '{ viewer { role } }' }).next()).value).toMatchObject({
      data: {},
    });
    const other = connect({ token, organization: 'globex' });
    await expect(other.client.iterate({ query: '{ viewer { role } }' }).next()).rejects.toMatchObject({
      code: 4403,
    });
  });
});

describe('a subscription', () => {
  it('gives no event any more to a caller who may no longer have it', async () => {
    const { id, token } = await insertApiKey(api.database.db, {
      organizationId: api.organization.id,
      userId: null,
      name: 'live',
      role: 'viewer',
    });
    const job = await runningJob();
    const controller = new AbortController();
    const res = await fetch(api.graphqlUrl, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'text/event-stream',
      },
      body: JSON.stringify({ query: PROGRESS, variables: { id: job.id } }),
      signal: controller.signal,
    });
    expect(res.status).toBe(200);
    await revoke(id);
    // The stream is cut: what comes before is the snapshot, and pings.
    const text = await res.text().catch((error: unknown) => String(error));
    expect(text).toMatch(/terminated|other side closed/);
    controller.abort();
  });
});

describe('over HTTP', () => {
  it('X-Organization names the organization, and one that is not the caller’s is refused', async () => {
    const { token } = await newKey();
    const ask = (organization: string) =>
      fetch(api.graphqlUrl, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'x-organization': organization,
        },
        body: JSON.stringify({ query: '{ viewer { role } }' }),
      });
    expect((await ask('acme')).status).toBe(200);
    const refused = await ask('globex');
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('an identity provider that is away is told as UNAVAILABLE', async () => {
    const token = await provider.sign({ email: 'ada@example.com', organizations: ['acme'], role: 'viewer' });
    provider.answerWith(500);
    // One that has not read the provider's keys yet.
    await using fresh = await startApi({ environment: environmentOf(provider) });
    const { status, errors } = await fresh.askWith(token, '{ viewer { role } }');
    const socket = connect({ token }, fresh);
    await expect(socket.client.iterate({ query: '{ viewer { role } }' }).next()).rejects.toMatchObject({
      code: 1013,
    });
    provider.answerWith(200);
    expect(status).toBe(503);
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
  });
});

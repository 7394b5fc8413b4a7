import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, MillraceUserError, type MillraceClient } from '../../src/sdk/index.ts';
import { toPublicId } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedJob } from '../support/job-rows.ts';

let api: TestApi;
let admin: MillraceClient;
beforeAll(async () => {
  api = await startApi();
  admin = createClient({ url: api.graphqlUrl, token: api.tokens.admin });
});
afterAll(() => api.close());

const clientOf = (token: string, organization?: string) =>
  createClient({ url: api.graphqlUrl, token, organization, webSocketImpl: WebSocket });

describe('who may do what, by the SDK', () => {
  it('the viewer tells the role, the permissions and the organization', async () => {
    const viewer = await clientOf(api.tokens.viewer).viewer();
    expect(viewer).toMatchObject({
      role: 'VIEWER',
      permissions: ['READ'],
      organization: { id: toPublicId('organization', api.organization.id) },
    });
  });

  it('the organization is read and changed, and a wrong value is a typed error that names it', async () => {
    const before = await admin.organization.get();
    const after = await admin.organization.update({ name: 'Acme & Sons', jobRetentionDays: 90 });
    expect(after).toEqual({ ...before, name: 'Acme & Sons', jobRetentionDays: 90 });
    const refused = admin.organization.update({ timeZone: 'Mars/Olympus' });
    await expect(refused).rejects.toBeInstanceOf(MillraceUserError);
    await expect(refused).rejects.toMatchObject({
      errors: [{ code: 'INVALID', field: ['input', 'timeZone'] }],
    });
    expect(await admin.organization.get()).toEqual(after);
  });

  it('a member is invited, gets another role and is removed', async () => {
    const input = { email: 'grace@example.com', name: 'Grace', role: 'VIEWER' } as const;
    const { user, role } = await admin.members.invite(input);
    expect({ user, role }).toMatchObject({ user: { email: 'grace@example.com' }, role: 'VIEWER' });
    expect(await admin.members.setRole(user.id, 'MEMBER')).toMatchObject({ role: 'MEMBER' });
    await expect(admin.members.invite(input)).rejects.toMatchObject({ errors: [{ code: 'CONFLICT' }] });
    const emails = async () => (await admin.members.list()).edges.map(({ node }) => node.user.email);
    expect(await emails()).toContain('grace@example.com');
    await admin.members.remove(user.id);
    expect(await emails()).not.toContain('grace@example.com');
    await expect(admin.members.remove(user.id)).rejects.toMatchObject({ errors: [{ code: 'NOT_FOUND' }] });
  });

  it('a key is made, works, is listed without its token, and is revoked', async () => {
    const { apiKey, token } = await admin.apiKeys.create({ name: 'importer', role: 'MEMBER' });
    expect(token.startsWith(apiKey.prefix)).toBe(true);
    expect((await clientOf(token).viewer()).role).toBe('MEMBER');
    const page = await admin.apiKeys.list();
    expect(page.edges.map(({ node }) => node.id)).toContain(apiKey.id);
    expect(JSON.stringify(page)).not.toContain(token);
    expect((await admin.apiKeys.revoke(apiKey.id)).revokedAt).not.toBeNull();
    expect((await admin.apiKeys.list()).edges.map(({ node }) => node.id)).not.toContain(apiKey.id);
  });

  it('a call that the role may not make is FORBIDDEN', async () => {
    await expect(clientOf(api.tokens.member).apiKeys.list()).rejects.toMatchObject({
      name: 'MillraceError',
      code: 'FORBIDDEN',
    });
  });
});

describe('the organization that a client names', () => {
  const own = () => toPublicId('organization', api.organization.id);

  it.each(['ws', 'sse'] as const)('goes with requests, and with subscriptions over %s', async (transport) => {
    const client = clientOf(api.tokens.viewer, own());
    const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
    await seedEvents(api.database.db, job, 2, 'completed');
    const seqs = [];
    for await (const { seq } of client.jobs.watch(job.id, { transport })) seqs.push(seq);
    expect(seqs).toEqual([1, 2]);
    expect((await client.viewer()).organization.id).toBe(own());
    await client.close();
  });

  it.each(['ws', 'sse'] as const)(
    'is refused over HTTP and over %s when the token opens another',
    async (transport) => {
      const client = clientOf(api.tokens.viewer, 'org_01h455vb4pex5vsknk084sn02q');
      await expect(client.viewer()).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const changes = client.jobs.changed({}, { transport })[Symbol.asyncIterator]();
      await expect(changes.next()).rejects.toMatchObject({
        name: 'MillraceError',
        code: 'FORBIDDEN',
        message: 'This token opens another organization.',
      });
      await client.close();
    },
  );
});

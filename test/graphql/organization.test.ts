import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toPublicId } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createPerson } from '../support/people.ts';
import { insertApiKey } from '../../src/repositories/api-keys.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const UPDATE = `mutation ($input: UpdateOrganizationInput!) { it: updateOrganization(input: $input) {
  organization { name timeZone currency jobRetentionDays } userErrors { field code message } } }`;
const INVITE = `mutation ($input: InviteMemberInput!) { it: inviteMember(input: $input) {
  member { role user { id name email } } userErrors { field code message } } }`;
const CHANGE = `mutation ($id: ID!, $role: Role!) { it: updateMember(userId: $id, role: $role) {
  member { role user { id } } userErrors { field code } } }`;
const REMOVE =
  'mutation ($id: ID!) { it: removeMember(userId: $id) { removedUserId userErrors { field code } } }';
const MEMBERS = '{ members { totalCount edges { node { role joinedAt user { id email } } } } }';

interface Payload {
  readonly userErrors: readonly unknown[];
  readonly organization?: object;
  readonly member?: { readonly user: { readonly id: string; readonly name: string } } | null;
  readonly removedUserId?: string | null;
}

const ask = async (operation: string, variables: object): Promise<Payload> => {
  const { data, errors } = await api.ask(operation, variables, 'admin');
  expect(errors).toEqual([]);
  return data?.['it'] as Payload;
};

describe('an organization', () => {
  it('is changed by what is given', async () => {
    const before = { name: 'Testers Inc.', timeZone: 'Europe/Berlin', currency: 'EUR', jobRetentionDays: 30 };
    expect((await ask(UPDATE, { input: {} })).organization).toEqual(before);
    expect((await ask(UPDATE, { input: { name: ' Acme ', timeZone: 'Asia/Tokyo' } })).organization).toEqual({
      ...before,
      name: 'Acme',
      timeZone: 'Asia/Tokyo',
    });
    expect(
      (await ask(UPDATE, { input: { currency: 'JPY', jobRetentionDays: null } })).organization,
    ).toMatchObject({
      name: 'Acme',
      currency: 'JPY',
      jobRetentionDays: null,
    });
    const { data } = await api.ask(
      '{ organization { id name externalId } viewer { organization { name } } }',
    );
    expect(data).toEqual({
      organization: { id: toPublicId('organization', api.organization.id), name: 'Acme', externalId: null },
      viewer: { organization: { name: 'Acme' } },
    });
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ currency: 'BTC' }, 'currency'],
    [{ jobRetentionDays: 0 }, 'jobRetentionDays'],
  ])('is not changed by %j', async (input, field) => {
    const { organization, userErrors } = await ask(UPDATE, { input: { ...input } });
    expect(userErrors).toMatchObject([{ code: 'INVALID', field: ['input', field] }]);
    expect(organization).toMatchObject({ name: 'Acme' });
  });
});

describe('a member', () => {
  it('is invited by the address, in small letters, and keeps the name of somebody who is known', async () => {
    const { member } = await ask(INVITE, {
      input: { email: ' Ada@Example.com ', name: 'Ada', role: 'VIEWER' },
    });
    expect(member).toMatchObject({ role: 'VIEWER', user: { name: 'Ada', email: 'ada@example.com' } });
    const again = await ask(INVITE, { input: { email: 'ada@example.com', name: 'Eve', role: 'ADMIN' } });
    expect(again).toMatchObject({
      member: null,
      userErrors: [{ code: 'CONFLICT', field: ['input', 'email'] }],
    });
    const elsewhere = await createPerson(api.database.db, await strangersId(), 'member');
    const known = await ask(INVITE, { input: { email: elsewhere.email, name: 'Other', role: 'MEMBER' } });
    expect(known.member?.user).toMatchObject({ id: toPublicId('user', elsewhere.id), name: 'member' });
  });

  it.each([
    [{ email: 'nobody', name: 'x', role: 'VIEWER' }, 'email'],
    [{ email: 'a@example.com', name: ' ', role: 'VIEWER' }, 'name'],
  ])('is not made of %j', async (input, field) => {
    const { member, userErrors } = await ask(INVITE, { input });
    expect(member).toBeNull();
    expect(userErrors).toMatchObject([{ code: 'INVALID', field: ['input', field] }]);
  });

  it('takes their keys with them when they go', async () => {
    const person = await createPerson(api.database.db, api.organization.id, 'member');
    const owner = { organizationId: api.organization.id, userId: person.id };
    const { token } = await insertApiKey(api.database.db, { ...owner, name: 'own', role: 'member' });
    expect((await api.askWith(token, '{ viewer { role } }')).status).toBe(200);
    const id = toPublicId('user', person.id);
    expect(await ask(REMOVE, { id })).toEqual({ removedUserId: id, userErrors: [] });
    await expect
      .poll(async () => (await api.askWith(token, '{ viewer { role } }')).status, { timeout: 6_000 })
      .toBe(401);
    expect(await ask(REMOVE, { id })).toMatchObject({
      userErrors: [{ code: 'NOT_FOUND', field: ['userId'] }],
    });
    expect(JSON.stringify((await api.ask(MEMBERS)).data)).not.toContain(id);
  });

  it('gets another role, but the last admin stays one, also when two leave at once', async () => {
    const admins = async () => {
      const { data } = await api.ask(MEMBERS, {}, 'admin');
      const { edges } = data?.['members'] as { edges: { node: { role: string; user: { id: string } } }[] };
      return edges.filter(({ node }) => node.role === 'ADMIN').map(({ node }) => node.user.id);
    };
    const [first = ''] = await admins();
    const conflict = { userErrors: [{ code: 'CONFLICT', field: ['userId'] }] };
    expect(await ask(CHANGE, { id: first, role: 'MEMBER' })).toMatchObject(conflict);
    expect(await ask(REMOVE, { id: first })).toMatchObject(conflict);
    const person = await createPerson(api.database.db, api.organization.id, 'viewer');
    const second = toPublicId('user', person.id);
    expect(await ask(CHANGE, { id: second, role: 'ADMIN' })).toMatchObject({ member: { role: 'ADMIN' } });
    const both = await Promise.all([ask(CHANGE, { id: first, role: 'VIEWER' }), ask(REMOVE, { id: second })]);
    expect(both.flatMap(({ userErrors }) => userErrors)).toMatchObject([{ code: 'CONFLICT' }]);
    expect(await admins()).toHaveLength(1);
  });

  it('of another organization does not exist', async () => {
    const person = await createPerson(api.database.db, await strangersId(), 'member');
    const id = toPublicId('user', person.id);
    const notFound = { userErrors: [{ code: 'NOT_FOUND', field: ['userId'] }] };
    expect(await ask(CHANGE, { id, role: 'ADMIN' })).toMatchObject(notFound);
    expect(await ask(REMOVE, { id })).toMatchObject(notFound);
  });
});

async function strangersId(): Promise<string> {
  const { rows } = await api.database.db.query<{ id: string }>(
    "SELECT id FROM organizations WHERE name = 'Strangers Ltd.'",
  );
  return rows[0]?.id ?? '';
}

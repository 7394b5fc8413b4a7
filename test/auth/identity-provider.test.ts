import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Authentication } from '../../src/auth/authentication.ts';
import { IdentityProvider } from '../../src/auth/identity-provider.ts';
import type { ClaimNames } from '../../src/domain/identity-provider.ts';
import { toPublicId } from '../../src/domain/ids.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  startIdentityProvider,
  type SignOptions,
  type TestIdentityProvider,
} from '../support/identity-provider.ts';
import { createOrganization } from '../support/organization.ts';
import { createPerson } from '../support/people.ts';
import { statementsDuring } from '../support/statements.ts';

let database: TestDatabase;
let provider: TestIdentityProvider;
let acme: string;
let globex: string;
let nowMs: number;
beforeAll(async () => {
  [database, provider] = await Promise.all([createTestDatabase(), startIdentityProvider()]);
  acme = await organizationNamed('acme');
  globex = await organizationNamed('globex');
});
beforeEach(() => {
  nowMs = Date.now();
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await database.close();
});

async function organizationNamed(externalId: string): Promise<string> {
  const { id } = await createOrganization(database.db, { name: externalId });
  await database.db.query('UPDATE organizations SET external_id = $2 WHERE id = $1', [id, externalId]);
  return id;
}

const CLAIMS: ClaimNames = {
  email: 'email',
  name: 'name',
  organizations: 'organizations',
  role: 'role',
  roles: new Map([['owner', 'admin'] as const]),
};

function verifier(claims: Partial<ClaimNames> = {}): IdentityProvider {
  const { jwksUrl, issuer, audience } = provider;
  return new IdentityProvider({
    config: { jwksUrl, issuer, audience, clockSkewSeconds: 30, claims: { ...CLAIMS, ...claims } },
    sql: database.db,
    clock: { now: () => new Date(nowMs) },
  });
}

const ada = { email: 'ada@example.com', name: 'Ada' };
const verify = async (
  claims: object,
  organization: string | null = null,
  more: SignOptions = {},
): Promise<Authentication> =>
  verifier().verify({ token: await provider.sign({ ...ada, ...claims }, more), organization });
const membersOf = async (organizationId: string): Promise<object[]> =>
  (
    await database.db.query(
      'SELECT u.email, u.name, m.role FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1',
      [organizationId],
    )
  ).rows;

describe('a token of the identity provider', () => {
  it('makes its holder a member of the organization that it names, in the role that it gives', async () => {
    expect(await verify({ organizations: ['acme'], role: 'owner' })).toMatchObject({
      principal: {
        organization: { id: acme },
        role: 'admin',
        triggeredBy: 'manual:ada@example.com',
        expiresAt: expect.any(Date),
      },
    });
    expect(await membersOf(acme)).toEqual([{ email: 'ada@example.com', name: 'Ada', role: 'admin' }]);
  });

  it('changes role and name with the next token, and no other organization', async () => {
    await verify({ organizations: { acme: 'viewer' }, name: 'Ada L.' });
    expect(await membersOf(acme)).toEqual([{ email: 'ada@example.com', name: 'Ada L.', role: 'viewer' }]);
    expect(await membersOf(globex)).toEqual([]);
  });

  it('with several organizations needs to be told which', async () => {
    const claims = { organizations: { acme: 'member', globex: 'viewer' } };
    expect(await verify(claims)).toMatchObject({
      refusal: { code: 'FORBIDDEN', message: expect.stringContaining('X-Organization') },
    });
    expect(await verify(claims, 'globex')).toMatchObject({
      principal: { organization: { id: globex }, role: 'viewer' },
    });
    expect(await verify(claims, toPublicId('organization', acme))).toMatchObject({
      principal: { role: 'member' },
    });
  });

  it.each([
    ['an organization that it does not name', { organizations: ['acme'], role: 'member' }, 'globex'],
    ['an organization that nobody knows', { organizations: ['umbrella'], role: 'member' }, null],
    ['a role that nobody knows', { organizations: ['acme'], role: 'janitor' }, null],
    [
      'an address that is not verified',
      { organizations: ['acme'], role: 'member', email_verified: false },
      null,
    ],
  ])('opens nothing with %s', async (_what, claims, organization) => {
    expect(await verify(claims, organization)).toMatchObject({ refusal: { code: 'FORBIDDEN' } });
  });

  it('opens what its holder was invited to, where tokens name no organizations', async () => {
    const person = await createPerson(database.db, globex, 'member');
    const token = await provider.sign({
      email: person.email.toUpperCase(),
      organizations: ['acme'],
      role: 'owner',
    });
    const found = await verifier({ organizations: null }).verify({ token, organization: null });
    expect(found).toMatchObject({
      principal: { organization: { id: globex }, userId: person.id, role: 'member' },
    });
    const stranger = await provider.sign({ email: 'nobody@example.com' });
    expect(
      await verifier({ organizations: null }).verify({ token: stranger, organization: null }),
    ).toMatchObject({
      refusal: { code: 'FORBIDDEN' },
    });
  });

  it.each<[string, SignOptions]>([
    ['of another issuer', { issuer: 'https://evil.example.com/' }],
    ['for somebody else', { audience: 'another-app' }],
    ['signed with a key that is not published', { forged: true }],
    ['that expired longer ago than clocks may differ', { expiresAt: new Date(Date.now() - 31_000) }],
  ])('%s opens nothing', async (_what, more) => {
    expect(await verify({ organizations: ['acme'], role: 'owner' }, null, more)).toMatchObject({
      refusal: { code: 'UNAUTHENTICATED' },
    });
  });

  it('without a signature, or with one by a shared secret, opens nothing', async () => {
    const { issuer, audience } = provider;
    const claims = { ...ada, organizations: ['acme'], role: 'owner', iss: issuer, aud: audience };
    const unsigned = new UnsecuredJWT(claims).setExpirationTime('1m').encode();
    const shared = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'key-0' })
      .setExpirationTime('1m')
      .sign(Buffer.from('a shared secret of thirty-two bytes'));
    for (const token of [unsigned, shared, 'a.b.c']) {
      expect(await verifier().verify({ token, organization: null })).toMatchObject({
        refusal: { code: 'UNAUTHENTICATED' },
      });
    }
  });

  it('is good until the moment it expires, though it was looked at before', async () => {
    const identity = verifier();
    const expiresAt = new Date(Math.floor(nowMs / 1_000) * 1_000 + 10_000);
    const token = await provider.sign({ ...ada, organizations: ['acme'], role: 'member' }, { expiresAt });
    expect(await identity.verify({ token, organization: null })).toHaveProperty('principal');
    nowMs = expiresAt.getTime() + 30_000;
    expect(await identity.verify({ token, organization: null }, Infinity)).toMatchObject({
      refusal: { code: 'UNAUTHENTICATED' },
    });
  });

  it('that comes again and again costs one statement in five seconds, and the keys one fetch', async () => {
    const identity = verifier();
    const token = await provider.sign({ ...ada, organizations: ['acme'], role: 'member' });
    const before = provider.fetches;
    const statements = await statementsDuring(async () => {
      await Promise.all(Array.from({ length: 20 }, () => identity.verify({ token, organization: null })));
    });
    expect(statements).toHaveLength(1);
    expect(provider.fetches).toBe(before + 1);
  });

  it('signed with a new key is taken as soon as the key is published', async () => {
    await provider.rotate();
    expect(await verify({ organizations: ['acme'], role: 'member' })).toHaveProperty('principal');
  });

  it('cannot be judged while the keys cannot be read: an error, not a refusal', async () => {
    provider.answerWith(503);
    await expect(verify({ organizations: ['acme'], role: 'member' })).rejects.toThrow('could not be read');
    provider.answerWith(200);
    expect(await verify({ organizations: ['acme'], role: 'member' })).toHaveProperty('principal');
  });
});

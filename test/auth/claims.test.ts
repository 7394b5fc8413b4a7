import { describe, expect, it } from 'vitest';
import { readClaims } from '../../src/auth/claims.ts';
import type { ClaimNames } from '../../src/domain/identity-provider.ts';

const names = (more: Partial<ClaimNames> = {}): ClaimNames => ({
  email: 'email',
  name: 'name',
  organizations: 'organizations',
  role: 'role',
  roles: new Map([['owner', 'admin'] as const]),
  ...more,
});
const ada = { email: 'Ada@Example.com', name: 'Ada' };
const organizationsOf = (claims: object, more: Partial<ClaimNames> = {}): unknown => {
  const read = readClaims({ ...ada, ...claims }, names(more));
  return 'holder' in read ? Object.fromEntries(read.holder.organizations ?? []) : read.problem;
};

describe('claims', () => {
  it('name a person by their address in small letters; without a name, it is their name too', () => {
    expect(readClaims(ada, names({ organizations: null }))).toEqual({
      holder: { email: 'ada@example.com', name: 'Ada', organizations: null },
    });
    expect(readClaims({ email: 'a@example.com' }, names({ organizations: null }))).toMatchObject({
      holder: { name: 'a@example.com' },
    });
  });

  it.each([
    ['one name', { organizations: 'acme', role: 'member' }, { acme: 'member' }],
    [
      'several names',
      { organizations: ['acme', 'globex'], role: ['viewer', 'owner'] },
      { acme: 'admin', globex: 'admin' },
    ],
    [
      'a role for each',
      { organizations: { acme: 'owner', globex: ['viewer', 'member'] } },
      { acme: 'admin', globex: 'member' },
    ],
    [
      'objects',
      {
        organizations: [
          { id: 'acme', role: 'viewer' },
          { name: 'globex', roles: ['owner'] },
        ],
      },
      { acme: 'viewer', globex: 'admin' },
    ],
    ['a role that nobody knows', { organizations: ['acme'], role: 'janitor' }, { acme: null }],
    ['no role', { organizations: ['acme'] }, { acme: null }],
    [
      'a role of its own and a general one',
      { organizations: [{ id: 'acme', role: 'viewer' }, 'globex'], role: 'owner' },
      { acme: 'viewer', globex: 'admin' },
    ],
  ])('give organizations as %s', (_what, claims, expected) => {
    expect(organizationsOf(claims)).toEqual(expected);
  });

  it('are found under their whole name first, and then by a path', () => {
    const at = { organizations: 'https://example.com/orgs', role: 'app.role' };
    expect(organizationsOf({ 'https://example.com/orgs': ['acme'], app: { role: 'owner' } }, at)).toEqual({
      acme: 'admin',
    });
    expect(organizationsOf({ app: { orgs: 'acme' }, role: 'owner' }, { organizations: 'app.orgs' })).toEqual({
      acme: 'admin',
    });
  });

  it.each([
    [{ email: '' }, /no e-mail address under "email"/],
    [{ email: 7 }, /no e-mail address/],
    [{ email_verified: false }, /not verified/],
    [{}, /no organization under "organizations"/],
    [{ organizations: 12 }, /no organization/],
    [{ organizations: { __proto__: null, '': 'admin' } }, /no organization/],
  ])('are of no use: %j', (claims, problem) => {
    expect(organizationsOf(claims)).toMatch(problem);
  });
});

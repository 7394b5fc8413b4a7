import { z } from 'zod';
import type { ClaimNames } from '../domain/identity-provider.ts';
import { ROLES, roleAtLeast, type Role } from '../domain/role.ts';

/** What a token says of its holder. */
export interface Holder {
  /** In lower case */
  readonly email: string;
  readonly name: string;
  /** By the provider's name of the organization, or our id of it; null: the token does not say */
  readonly organizations: ReadonlyMap<string, Role | null> | null;
}

const text = z.string().trim().min(1);
const names = z.union([text.transform((one) => [one]), z.array(text)]);
const entry = z.union([
  text.transform((id) => ({ id, roles: [] as string[] })),
  z
    .object({ id: text.optional(), name: text.optional(), role: names.optional(), roles: names.optional() })
    .transform(({ id, name, role = [], roles = [] }) => ({
      id: id ?? name ?? '',
      roles: [...role, ...roles],
    })),
]);
/** "acme", ["acme", "globex"], { "acme": "admin" } or [{ "id": "acme", "role": "admin" }] */
const organizations = z.union([
  z.array(entry),
  text.transform((id) => [{ id, roles: [] as string[] }]),
  z.record(text, names).transform((all) => Object.entries(all).map(([id, roles]) => ({ id, roles }))),
]);

/** @returns why the token is of no use, or who holds it */
export function readClaims(
  claims: Readonly<Record<string, unknown>>,
  at: ClaimNames,
): { readonly holder: Holder } | { readonly problem: string } {
  const email = text.max(320).toLowerCase().safeParse(claimAt(claims, at.email));
  if (!email.success) return { problem: `The token has no e-mail address under "${at.email}".` };
  if (claims['email_verified'] === false)
    return { problem: 'The e-mail address of the token is not verified.' };
  const name = text.max(200).safeParse(claimAt(claims, at.name));
  const holder = { email: email.data, name: name.success ? name.data : email.data };
  if (at.organizations === null) return { holder: { ...holder, organizations: null } };
  const found = organizations.safeParse(claimAt(claims, at.organizations));
  if (!found.success) return { problem: `The token names no organization under "${at.organizations}".` };
  const general = names.safeParse(claimAt(claims, at.role));
  const generalRole = highest(general.success ? general.data : [], at.roles);
  return {
    holder: {
      ...holder,
      organizations: new Map(
        found.data.map(({ id, roles }) => [id, roles.length > 0 ? highest(roles, at.roles) : generalRole]),
      ),
    },
  };
}

function highest(roles: readonly string[], known: ReadonlyMap<string, Role>): Role | null {
  const ours = roles.flatMap((role) => known.get(role) ?? ROLES.filter((name) => name === role));
  return ours.reduce<Role | null>((best, role) => (best && roleAtLeast(best, role) ? best : role), null);
}

/** Names of claims may hold dots themselves ("https://example.com/roles"): the whole name goes first. */
function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, step) => {
    const object = z.record(z.string(), z.unknown()).safeParse(value);
    return object.success && Object.hasOwn(object.data, step) ? object.data[step] : undefined;
  }, claims);
}

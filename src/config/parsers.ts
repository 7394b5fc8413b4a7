import type { z } from 'zod';
import { ROLES, type Role } from '../domain/role.ts';

/** Keys that encrypt what is stored, under names that stand in the ciphertext. */
export function parseKeys(text: string, ctx: z.RefinementCtx): { id: string; key: Buffer }[] {
  const keys = text.split(',').map((entry) => {
    const [, id = '', base64 = ''] = /^\s*([a-z0-9-]{1,32}):([\w+/=-]+)\s*$/.exec(entry) ?? [];
    return { id, key: Buffer.from(base64, 'base64') };
  });
  const ids = new Set(keys.map(({ id }) => id));
  const wrong = keys.some(({ id, key }) => id === '' || id === 'master' || key.byteLength !== 32);
  if (wrong || ids.size < keys.length) {
    const message =
      'expected id:base64, comma between, with 32 bytes each under names of their own (not "master")';
    ctx.addIssue({ code: 'custom', message });
  }
  return keys;
}

/** `owner=admin, editor=member`: the identity provider's names of roles to ours. */
export function parseRoles(text: string, ctx: z.RefinementCtx): ReadonlyMap<string, Role> {
  const pairs = text.split(',').map((entry) => entry.split('=').map((part) => part.trim()));
  const roles = pairs.flatMap(([theirs = '', ours]) =>
    ROLES.filter((role) => theirs !== '' && role === ours).map((role) => [theirs, role] as const),
  );
  if (roles.length < pairs.length) {
    const message = `expected <name>=<role>, comma between, where a role is ${ROLES.join(', ')}`;
    ctx.addIssue({ code: 'custom', message });
  }
  return new Map(roles);
}

export const parseList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** `https://shop.example, https://admin.example`: origins, as browsers send them. */
export function parseOrigins(text: string, ctx: z.RefinementCtx): readonly string[] {
  const origins = parseList(text);
  const wrong = origins.filter((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin);
  if (wrong.length > 0) {
    const message = 'expected origins like https://app.example, comma between, without a path';
    ctx.addIssue({ code: 'custom', message });
  }
  return origins;
}

/** `stripe=http://127.0.0.1:4010`: where a provider is reached in the place of its own address. */
export function parseBaseUrls(text: string, ctx: z.RefinementCtx): Readonly<Record<string, string>> {
  const pairs = parseList(text).map((entry) => {
    const [, provider = '', url = ''] = /^([a-z_]+)\s*=\s*(https?:\/\/\S+)$/.exec(entry) ?? [];
    return [provider, url.replace(/\/+$/, '')] as const;
  });
  if (pairs.some(([provider, url]) => provider === '' || !URL.canParse(url))) {
    const message = 'expected <provider>=<URL>, comma between';
    ctx.addIssue({ code: 'custom', message });
  }
  return Object.fromEntries(pairs);
}

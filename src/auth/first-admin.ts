import { z } from 'zod';
import { newUuid, uuidOf } from '../domain/ids.ts';
import { currencyCode } from '../domain/money.ts';
import { isTimeZone } from '../domain/period.ts';
import { StartError } from '../lib/entry.ts';
import { insertApiKey } from '../repositories/api-keys.ts';
import type { Database } from '../repositories/db.ts';
import { findOrInsertUser, insertMember, setMemberRole } from '../repositories/members.ts';
import { findOrganization, insertOrganization } from '../repositories/organizations.ts';

const text = (max: number) =>
  z.string().trim().min(1, 'expected some text').max(max, `expected at most ${max} characters`);

const newOrganization = z.object({
  name: text(200),
  timeZone: z.string().refine(isTimeZone, { error: 'expected an IANA time zone such as "Europe/Berlin"' }),
  currency: currencyCode,
  externalId: text(255).nullish(),
});

const firstAdmin = z.object({
  organization: text(255),
  email: z.string().trim().toLowerCase().pipe(z.email('expected an e-mail address')),
  name: text(200),
});

/** @param options as they were written on a command line. @returns its uuid. @throws StartError */
export async function createOrganization(db: Database, options: unknown): Promise<string> {
  const organization = parse(newOrganization, options);
  const id = newUuid();
  const externalId = organization.externalId ?? null;
  if (await insertOrganization(db, { ...organization, id, externalId })) return id;
  throw new StartError(`There is an organization with the external id "${externalId ?? ''}" already.`);
}

/**
 * Makes a person an admin, whoever they were before, with an API key of their own: it opens the API to them when
 * nobody else can. @returns the key's token, which is stored nowhere. @throws StartError
 */
export async function createFirstAdmin(db: Database, options: unknown): Promise<{ readonly token: string }> {
  const { organization, email, name } = parse(firstAdmin, options);
  const uuid = uuidOf('organization', organization);
  const organizationId = await findOrganization(db, { uuid, externalId: organization });
  if (organizationId === null) throw new StartError(`There is no organization "${organization}".`);
  return db.transaction(async (tx) => {
    const userId = await findOrInsertUser(tx, { newId: newUuid(), email, name });
    const member = { organizationId, userId, role: 'admin' } as const;
    if (!(await insertMember(tx, member))) await setMemberRole(tx, member);
    return insertApiKey(tx, { organizationId, userId, name: 'first admin', role: 'admin' });
  });
}

function parse<S extends z.ZodType>(schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `--${dashed(String(path[0]))}: ${message}`);
  throw new StartError(lines.join('\n'));
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

import { z } from 'zod';
import { UserFacingError } from '../domain/errors.ts';
import { newUuid } from '../domain/ids.ts';
import { parseInput } from '../domain/parse-input.ts';
import type { Database, Tx } from '../repositories/db.ts';
import {
  deleteMember,
  findOrInsertUser,
  insertMember,
  lockMembers,
  readMember,
  setMemberRole,
} from '../repositories/members.ts';
import type { Principal } from './principal.ts';
import { ROLES, type Role } from '../domain/role.ts';

const invitation = z.object({
  email: z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.email('Expected an e-mail address.').max(320, 'Expected at most 320 characters.')),
  name: z.string().trim().min(1, 'Expected a name.').max(200, 'Expected at most 200 characters.'),
  role: z.enum(ROLES),
});
export type Invitation = z.input<typeof invitation>;

/**
 * Makes somebody a member of the caller's organization. A person who is known by the address already keeps their name.
 * @returns the user. @throws UserFacingError
 */
export async function inviteMember(db: Database, caller: Principal, input: Invitation): Promise<string> {
  const { email, name, role } = parseInput(invitation, input);
  const organizationId = caller.organization.id;
  return db.transaction(async (tx) => {
    const userId = await findOrInsertUser(tx, { newId: newUuid(), email, name });
    if (await insertMember(tx, { organizationId, userId, role })) return userId;
    throw UserFacingError.of('CONFLICT', ['input', 'email'], `${email} is a member already.`);
  });
}

/** @throws UserFacingError */
export async function changeRole(
  db: Database,
  caller: Principal,
  userId: string | null,
  role: Role,
): Promise<string> {
  return db.transaction(async (tx) => {
    const member = await lockMember(tx, caller, userId, role);
    await setMemberRole(tx, { ...member, role });
    return member.userId;
  });
}

/** Takes somebody out of the caller's organization; the keys that act in their name open nothing any more. @throws UserFacingError */
export async function removeMember(db: Database, caller: Principal, userId: string | null): Promise<string> {
  return db.transaction(async (tx) => {
    const member = await lockMember(tx, caller, userId, null);
    await deleteMember(tx, { ...member, removedBy: caller.triggeredBy });
    return member.userId;
  });
}

/** @param role that they are to have; null: none. @throws UserFacingError for no member, and for the last admin */
async function lockMember(
  tx: Tx,
  { organization }: Principal,
  userId: string | null,
  role: Role | null,
): Promise<{ readonly organizationId: string; readonly userId: string }> {
  if (userId === null) throw noSuchMember();
  const member = { organizationId: organization.id, userId };
  await lockMembers(tx, organization.id);
  const found = await readMember(tx, member);
  if (found.role === null) throw noSuchMember();
  if (found.role === 'admin' && role !== 'admin' && found.otherAdmins === 0) {
    throw UserFacingError.of(
      'CONFLICT',
      ['userId'],
      'An organization keeps an admin. Make somebody else one first.',
    );
  }
  return member;
}

function noSuchMember(): UserFacingError {
  return UserFacingError.of('NOT_FOUND', ['userId'], 'There is no such member.');
}

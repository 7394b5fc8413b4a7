import { z } from 'zod';
import { UserFacingError } from '../domain/errors.ts';
import { parseInput } from '../domain/parse-input.ts';
import type { Clock } from '../lib/clock.ts';
import { API_KEYS_MAX, hasRoomForApiKey, insertApiKey, revokeApiKey } from '../repositories/api-keys.ts';
import type { Database } from '../repositories/db.ts';
import { grantedTo, PERMISSION_NAMES, type Permission } from './permission.ts';
import type { Principal } from './principal.ts';
import { ROLES } from '../domain/role.ts';

const keyInput = z.object({
  name: z
    .string()
    .trim()
    .min(1, 'Expected a name, so that people know what the key is for.')
    .max(100, 'Expected at most 100 characters.'),
  role: z.enum(ROLES),
  permissions: z.array(z.enum(PERMISSION_NAMES)).min(1, 'Expected at least one permission.').nullable(),
  expiresAt: z.date().nullable(),
  isPersonal: z.boolean(),
});
export type ApiKeyInput = z.input<typeof keyInput>;

interface Deps {
  readonly db: Database;
  readonly clock: Clock;
}

/**
 * Makes a key for the caller's organization, which may no more than its maker.
 * @returns the token too: it is told once. @throws UserFacingError
 */
export async function createApiKey(
  { db, clock }: Deps,
  caller: Principal,
  input: ApiKeyInput,
): Promise<{ readonly id: string; readonly token: string }> {
  const key = parseInput(keyInput, input, (field) => (field === 'isPersonal' ? 'personal' : field));
  if (key.expiresAt && key.expiresAt <= clock.now())
    throw UserFacingError.of('INVALID', ['input', 'expiresAt'], 'Expected a time to come.');
  if (key.isPersonal && caller.userId === null)
    throw UserFacingError.of('NOT_ALLOWED', ['input', 'personal'], 'The caller is no person.');
  refuseMore(caller, grantedTo(key.role, key.permissions ?? []));
  return db.transaction(async (tx) => {
    if (!(await hasRoomForApiKey(tx, caller.organization.id))) throw tooMany();
    return insertApiKey(tx, {
      organizationId: caller.organization.id,
      userId: key.isPersonal ? caller.userId : null,
      name: key.name,
      role: key.role,
      scopes: key.permissions ?? [],
      expiresAt: key.expiresAt,
      createdBy: caller.triggeredBy,
    });
  });
}

/** From five seconds later on at the latest, the key opens nothing, and its sockets are closed. @throws UserFacingError */
export async function endApiKey({ db }: Deps, caller: Principal, id: string | null): Promise<string> {
  const target = { organizationId: caller.organization.id, revokedBy: caller.triggeredBy };
  if (id !== null && (await revokeApiKey(db, { ...target, id }))) return id;
  throw UserFacingError.of('NOT_FOUND', ['id'], 'There is no such API key.');
}

function refuseMore(caller: Principal, wanted: ReadonlySet<Permission>): void {
  const more = [...wanted].filter((permission) => !caller.permissions.has(permission));
  if (more.length === 0) return;
  const names = more.map((permission) => permission.toUpperCase()).join(', ');
  throw UserFacingError.of('NOT_ALLOWED', ['input'], `A key may no more than its maker, who lacks ${names}.`);
}

function tooMany(): UserFacingError {
  const message = `An organization has at most ${API_KEYS_MAX} API keys in use. Revoke one first.`;
  return UserFacingError.of('LIMIT_REACHED', null, message);
}

export const ROLES = ['viewer', 'member', 'admin'] as const;
/** What a person is in an organization: each role may all that the ones before it may. */
export type Role = (typeof ROLES)[number];

/** Whether `role` may do what `needed` may. */
export function roleAtLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

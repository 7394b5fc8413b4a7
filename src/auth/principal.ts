export const ROLES = ['viewer', 'member', 'admin'] as const;
/** What a caller may do: each role may all that the ones before it may. */
export type Role = (typeof ROLES)[number];

/** Who is calling, and for which organization. */
export interface Principal {
  readonly organization: {
    readonly id: string;
    readonly name: string;
    /** IANA name */
    readonly timeZone: string;
    /** ISO 4217 */
    readonly currency: string;
  };
  /** Null for a key that belongs to no person */
  readonly userId: string | null;
  /** "manual:<user's e-mail>" or "api:<key name>", as stored on the jobs that this caller starts */
  readonly triggeredBy: string;
  readonly role: Role;
}

/** Whether `role` may do what `needed` may. */
export function roleAtLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

import type { Permission } from './permission.ts';
import type { Role } from '../domain/role.ts';

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
  /** Of whom requests are counted: one key, or one person in one organization */
  readonly credential: string;
  /** "manual:<user's e-mail>" or "api:<key name>", as stored on the jobs that this caller starts */
  readonly triggeredBy: string;
  readonly role: Role;
  /** What the role may, or as much of it as the credential was made for */
  readonly permissions: ReadonlySet<Permission>;
  /** When the credential ends; null: not by time */
  readonly expiresAt: Date | null;
}

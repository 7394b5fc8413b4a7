import { roleAtLeast, type Role } from '../domain/role.ts';

/** What a caller may do, and the role that has it; each role has all that the ones before it have. */
export const PERMISSIONS = {
  read: {
    role: 'viewer',
    description: 'Read and follow jobs, panels and products; steer the own notifications',
  },
  run_jobs: { role: 'member', description: 'Upload files; start, retry and cancel jobs' },
  manage_schedules: { role: 'member', description: 'Create, change, run and delete schedules' },
  manage_queues: {
    role: 'admin',
    description: 'Pause, drain and resume queues; see the machines of workers',
  },
  record_activity: { role: 'member', description: 'Tell of what agents and people have done' },
  read_activity: { role: 'admin', description: 'Read who did what, on which object, from where' },
  manage_connections: {
    role: 'admin',
    description: 'Connect accounts at providers, change and disconnect them',
  },
  manage_webhooks: { role: 'admin', description: 'See and change webhook endpoints and their deliveries' },
  manage_organization: {
    role: 'admin',
    description: 'Change the organization, its members and its API keys',
  },
} as const satisfies Record<string, { readonly role: Role; readonly description: string }>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether a word is the name of a permission. */
export const isPermission = (name: unknown): name is Permission =>
  typeof name === 'string' && Object.hasOwn(PERMISSIONS, name);

export const PERMISSION_NAMES: readonly Permission[] = Object.keys(PERMISSIONS).filter(isPermission);

const OF_ROLE: { readonly [R in Role]: ReadonlySet<Permission> } = {
  viewer: permissionsOf('viewer'),
  member: permissionsOf('member'),
  admin: permissionsOf('admin'),
};

function permissionsOf(role: Role): ReadonlySet<Permission> {
  return new Set(PERMISSION_NAMES.filter((name) => roleAtLeast(role, PERMISSIONS[name].role)));
}

/**
 * What a role may, or as much of it as `scopes` names; none: all of it. Reading is in every one: nothing can be done
 * with an answer that may not be read.
 */
export function grantedTo(role: Role, scopes: readonly string[]): ReadonlySet<Permission> {
  const all = OF_ROLE[role];
  if (scopes.length === 0) return all;
  return new Set([...all].filter((name) => name === 'read' || scopes.includes(name)));
}

/** The same text for callers who may the same. */
export function permissionsKey(permissions: ReadonlySet<Permission>): string {
  return PERMISSION_NAMES.filter((name) => permissions.has(name)).join(' ');
}

import { PERMISSION_NAMES, PERMISSIONS } from '../../auth/permission.ts';
import { ROLES, type Role as RoleName } from '../../domain/role.ts';
import { builder } from '../builder.ts';

const ROLE_DESCRIPTIONS: { readonly [R in RoleName]: string } = {
  viewer: 'Reads and follows',
  member: 'Also starts and cancels jobs',
  admin: 'Also manages the organization',
};

export const Role = builder.enumType('Role', {
  description: 'What somebody is in an organization: each role may all that the ones before it may.',
  values: Object.fromEntries(
    ROLES.map((role) => [role.toUpperCase(), { value: role, description: ROLE_DESCRIPTIONS[role] }]),
  ),
});

export const Permission = builder.enumType('Permission', {
  description:
    'What a caller may do; a role has all of its permissions, an API key as many as it was made for.',
  values: Object.fromEntries(
    PERMISSION_NAMES.map((name) => [
      name.toUpperCase(),
      { value: name, description: `${PERMISSIONS[name].description}. From ${PERMISSIONS[name].role} on` },
    ]),
  ),
});

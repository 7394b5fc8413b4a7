/**
 * Whom the system's own jobs belong to, since every job belongs to an organization. It has no members and no keys, so
 * that nobody ever sees it.
 */
export const SYSTEM_ORGANIZATION = {
  id: '00000000-0000-7000-8000-000000000001',
  name: 'Millrace',
  timeZone: 'UTC',
  currency: 'EUR',
} as const;

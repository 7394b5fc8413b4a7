import { z } from 'zod';
import { currencyCode } from '../domain/money.ts';
import { parseInput } from '../domain/parse-input.ts';
import { isTimeZone } from '../domain/period.ts';
import type { Sql } from '../repositories/db.ts';
import { updateOrganization } from '../repositories/organizations.ts';
import type { Principal } from './principal.ts';

const RETENTION_DAYS_MAX = 3_650;
const DAYS = `Expected 1 to ${RETENTION_DAYS_MAX} days.`;

const organizationChange = z.object({
  name: z.string().trim().min(1, 'Expected a name.').max(200, 'Expected at most 200 characters.').optional(),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: 'Expected an IANA time zone such as "Europe/Berlin".' })
    .optional(),
  currency: currencyCode.optional(),
  jobRetentionDays: z.int().min(1, DAYS).max(RETENTION_DAYS_MAX, DAYS).nullish(),
});
export type OrganizationInput = z.input<typeof organizationChange>;

/** Changes the caller's organization; what is absent stays. @throws UserFacingError */
export async function changeOrganization(
  sql: Sql,
  { organization }: Principal,
  input: OrganizationInput,
): Promise<void> {
  await updateOrganization(sql, organization.id, parseInput(organizationChange, input));
}

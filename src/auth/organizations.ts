import { z } from 'zod';
import { currencyCode } from '../domain/money.ts';
import { parseInput } from '../domain/parse-input.ts';
import { isTimeZone } from '../domain/period.ts';
import { REVENUE_SOURCES } from '../domain/revenue-sources.ts';
import type { JobDeps } from '../queue/deps.ts';
import { startTogetherIn } from '../queue/start-batch.ts';
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
  revenueSources: z.enum(REVENUE_SOURCES).optional(),
});
export type OrganizationInput = z.input<typeof organizationChange>;

/** Kinds that place what happened on the days of the organization. */
const DAY_KINDS = ['revenue_aggregation', 'email_aggregation', 'support_aggregation', 'agent_aggregation'];

/**
 * Changes the caller's organization; what is absent stays. Another time zone has other days: the jobs that make the
 * rollups anew are started with the change, or not at all.
 * @throws UserFacingError
 */
export async function changeOrganization(
  deps: JobDeps,
  { organization, triggeredBy }: Principal,
  input: OrganizationInput,
): Promise<void> {
  const change = parseInput(organizationChange, input);
  const afterCommit = await deps.db.transaction(async (tx) => {
    if (!(await updateOrganization(tx, organization.id, change))) return null;
    const requests = DAY_KINDS.filter((kind) => Object.hasOwn(deps.catalogue, kind)).map((kind) => ({
      organizationId: organization.id,
      kind,
      input: { sync: false },
      triggeredBy,
    }));
    return startTogetherIn(tx, deps, requests);
  });
  await afterCommit?.();
}

import { newUuid } from '../../src/domain/ids.ts';
import type { Sql } from '../../src/repositories/db.ts';

export interface TestOrganization {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string;
}

/** A tenant with nothing in it. */
export async function createOrganization(
  db: Sql,
  overrides: Partial<TestOrganization> = {},
): Promise<TestOrganization> {
  const organization = {
    id: newUuid(),
    name: 'Testers Inc.',
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
    ...overrides,
  };
  await db.query('INSERT INTO organizations (id, name, time_zone, currency) VALUES ($1, $2, $3, $4)', [
    organization.id,
    organization.name,
    organization.timeZone,
    organization.currency,
  ]);
  return organization;
}

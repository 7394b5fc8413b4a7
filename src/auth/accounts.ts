import { Batcher } from '../lib/batcher.ts';
import { findOrganizations, findUsers, type Organization, type User } from '../repositories/accounts.ts';
import type { Sql } from '../repositories/db.ts';

/** Look-ups of one statement, and such statements at once */
const LOOKUPS_MAX = 500;
const LOOKUPS_AT_ONCE = 2;

type Find<Row> = (sql: Sql, ids: readonly string[]) => Promise<ReadonlyMap<string, Row>>;

/**
 * The organizations and people that callers are, as they are now. Nearly every frontend asks for them with each page:
 * what many operations ask for at once is one statement.
 */
export class Accounts {
  readonly #organizations: Batcher<string, Organization | null>;
  readonly #users: Batcher<string, User | null>;

  constructor(sql: Sql) {
    this.#organizations = batcher(sql, findOrganizations);
    this.#users = batcher(sql, findUsers);
  }

  /** @throws when there is none: callers belong to one that is there */
  async organization(id: string): Promise<Organization> {
    const organization = await this.#organizations.add(id);
    if (!organization) throw new Error(`organization ${id} is not there`);
    return organization;
  }

  /** Null for one who is not there any more */
  user(id: string): Promise<User | null> {
    return this.#users.add(id);
  }
}

function batcher<Row>(sql: Sql, find: Find<Row>): Batcher<string, Row | null> {
  return new Batcher<string, Row | null>({
    sizeMax: LOOKUPS_MAX,
    concurrency: LOOKUPS_AT_ONCE,
    isolate: false,
    run: async (ids) => {
      const found = await find(sql, ids);
      return ids.map((id) => found.get(id) ?? null);
    },
  });
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentRun } from '../../../src/domain/agent-run.ts';
import { agentAggregation } from '../../../src/jobs/agent-aggregation.ts';
import { recordAgentRuns } from '../../../src/repositories/agent-runs.ts';
import { openStorage } from '../../../src/storage/index.ts';
import { aggregateAgents } from '../../../worker/jobs/agent-aggregation.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createTestJob } from '../../support/job-context.ts';
import { createOrganization, type TestOrganization } from '../../support/organization.ts';

let database: TestDatabase;
let organization: TestOrganization;
let other: TestOrganization;
beforeEach(async () => {
  database = await createTestDatabase();
  organization = await createOrganization(database.db, { timeZone: 'Europe/Berlin' });
  other = await createOrganization(database.db, { timeZone: 'Europe/Berlin' });
});
afterEach(() => database.close());

const run = (at: string, key = at): AgentRun => ({
  key,
  agent: 'writer',
  at: new Date(at),
  succeeded: true,
  durationMs: 5,
  tokens: 1,
  cost: { amount: '1', currency: 'EUR' },
});

const record = (owner: TestOrganization, runs: readonly AgentRun[]) =>
  recordAgentRuns(database.db, { organizationId: owner.id, recordedBy: 'api:test' }, runs);

const attempt = async () => {
  const job = await createTestJob({
    db: database.db,
    storage: openStorage({ dataDir: '/nowhere' }),
    organization,
    kind: 'agent_aggregation',
    input: {},
  });
  return job.attempt();
};

const aggregate = async () => {
  const { ctx, end } = await attempt();
  const output = agentAggregation.output.parse(await aggregateAgents(ctx, {}));
  await end();
  return output;
};

async function daysOf({ id }: TestOrganization): Promise<Record<string, number>> {
  const { rows } = await database.db.query<{ day: string; runs: number }>(
    'SELECT day::text AS day, sum(runs)::int AS runs FROM agent_days WHERE organization_id = $1 GROUP BY day ORDER BY 1',
    [id],
  );
  return Object.fromEntries(rows.map(({ day, runs }) => [day, runs]));
}

const moveTo = (timeZone: string) =>
  database.db.query('UPDATE organizations SET time_zone = $2 WHERE id = $1', [organization.id, timeZone]);

/** Months apart, at the ends of batches and of months, and just around midnight in Berlin. */
const MOMENTS = [
  '2026-01-31T22:30:00Z',
  '2026-01-31T23:30:00Z',
  '2026-03-03T22:59:59Z',
  '2026-03-03T23:00:00Z',
  '2026-06-15T12:00:00Z',
];

describe('agent_aggregation', () => {
  test('counts each run on its day in the organization’s new time zone, and nobody else’s', async () => {
    await record(
      organization,
      MOMENTS.map((at) => run(at)),
    );
    await record(other, [run(MOMENTS[1] ?? '')]);
    expect(await daysOf(organization)).toEqual({
      '2026-01-31': 1,
      '2026-02-01': 1,
      '2026-03-03': 1,
      '2026-03-04': 1,
      '2026-06-15': 1,
    });
    await moveTo('Pacific/Kiritimati');
    expect(await aggregate()).toEqual({ days: 136, moved: 3 });
    expect(await daysOf(organization)).toEqual({ '2026-02-01': 2, '2026-03-04': 2, '2026-06-16': 1 });
    await moveTo('Pacific/Pago_Pago');
    expect((await aggregate()).moved).toBe(5);
    expect(await daysOf(organization)).toEqual({ '2026-01-31': 2, '2026-03-03': 2, '2026-06-15': 1 });
    expect(await daysOf(other)).toEqual({ '2026-02-01': 1 });
  });

  test('mends a rollup that holds what no run says, and finds nothing to do the next time', async () => {
    await record(
      organization,
      MOMENTS.map((at) => run(at)),
    );
    const right = await daysOf(organization);
    await database.db.query("UPDATE agent_days SET runs = 99, day = day + 40 WHERE day < '2026-03-01'");
    await aggregate();
    expect(await daysOf(organization)).toEqual(right);
    expect((await aggregate()).moved).toBe(0);
    await database.db.query('DELETE FROM agent_runs');
    expect(await aggregate()).toEqual({ days: 0, moved: 0 });
    expect(await daysOf(organization)).toEqual({});
  });

  test('of a lost attempt writes nothing', async () => {
    await record(organization, [run('2026-01-31T22:30:00Z')]);
    await moveTo('Pacific/Kiritimati');
    const { ctx } = await attempt();
    await database.db.query('UPDATE jobs SET delivery = delivery + 1');
    await expect(aggregateAgents(ctx, {})).rejects.toThrow();
    expect(await daysOf(organization)).toEqual({ '2026-01-31': 1 });
  });

  test('loses no run that is told while it works', async () => {
    await record(
      organization,
      MOMENTS.map((at) => run(at)),
    );
    await moveTo('Pacific/Kiritimati');
    const told = Array.from({ length: 10 }, (_, n) =>
      record(organization, [run(MOMENTS[n % 5] ?? '', `${n}`)]),
    );
    await Promise.all([aggregate(), ...told]);
    expect(await daysOf(organization)).toEqual({ '2026-02-01': 6, '2026-03-04': 6, '2026-06-16': 3 });
  });
});

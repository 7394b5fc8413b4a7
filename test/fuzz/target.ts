import { once } from 'node:events';
import { z } from 'zod';
import { startApi, type TestApi } from '../support/api.ts';
import { readTestEnvironment } from '../support/environment.ts';
import { seedFullTenant } from '../support/full-tenant.ts';
import { spawnApi, type ApiProcess } from '../support/spawn-api.ts';
import { TENANT_TYPES, seedTenant } from '../support/tenant-rows.ts';
import { Random } from './random.ts';

/** Another seed finds other things: MILLRACE_FUZZ_SEED. */
const SEED = 20_261;
/** So many requests are under way at once. */
const CONCURRENCY = 20;
const FINDINGS_MAX = 20;

const heap = z.object({ type: z.literal('heap'), bytes: z.number() });

/** An API process to be treated badly, with rows in its database. */
export class FuzzTarget {
  readonly seed = readTestEnvironment().fuzzSeed ?? SEED;
  readonly #api: TestApi;
  readonly #process: ApiProcess;
  /** Of things of the organization, and of another one's */
  readonly ids: readonly string[];

  private constructor(api: TestApi, process: ApiProcess, ids: readonly string[]) {
    this.#api = api;
    this.#process = process;
    this.ids = ids;
  }

  static async start(): Promise<FuzzTarget> {
    const api = await startApi();
    const { db } = api.database;
    await seedFullTenant(db, api.organization.id, { from: 1, to: 20 });
    const { rows } = await db.query<{ id: string }>('SELECT id FROM organizations WHERE id <> $1', [
      api.organization.id,
    ]);
    const foreign = await seedTenant(db, rows[0]?.id ?? '');
    const preload = new URL('../support/tell-heap.mjs', import.meta.url).href;
    const process = await spawnApi(
      {
        ...api.environment,
        LOG_LEVEL: 'error',
        LIMIT_POINTS_PER_SECOND: '1000000',
        METRICS_TOKEN: 'm'.repeat(16),
      },
      0,
      ['--expose-gc', '--import', preload],
    );
    const own = await ownIds(api);
    return new FuzzTarget(api, process, [...own, ...TENANT_TYPES.map((type) => foreign[type])]);
  }

  get url(): URL {
    return new URL(this.#process.graphqlUrl);
  }

  /** An admin's key: nobody may more. */
  get token(): string {
    return this.#api.tokens.admin;
  }

  get isAlive(): boolean {
    return this.#process.process.exitCode === null && this.#process.process.signalCode === null;
  }

  /** What the process holds once its garbage is collected, in 10^6 bytes. */
  async heapMegabytes(): Promise<number> {
    const told = once(this.#process.process, 'message', { signal: AbortSignal.timeout(10_000) });
    this.#process.process.kill('SIGUSR2');
    const [message]: unknown[] = await told;
    return heap.parse(message).bytes / 1e6;
  }

  /**
   * Runs a part of the cases, many at once; each gets a random source of its own, so that it can be run alone.
   * @returns what was found wrong, with what finds it again
   */
  async run(
    part: string,
    count: number,
    each: (random: Random) => Promise<Finding | null>,
  ): Promise<string[]> {
    const found: string[] = [];
    const begun = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count && found.length < FINDINGS_MAX && this.isAlive) {
        const number = next++;
        const random = new Random(this.seed * 1_000_003 + number * 17 + part.length);
        const finding = await each(random).catch((error: unknown) => ({
          faults: [`no answer: ${String(error)} ${error instanceof Error ? String(error.cause) : ''}`],
          sent: '',
        }));
        if (finding && finding.faults.length > 0) {
          found.push(
            `seed ${this.seed}, ${part} ${number}: ${finding.faults.join('; ')}\n  sent ${finding.sent.slice(0, 1_500)}`,
          );
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
    process.stdout.write(`fuzz: ${next} of ${part} in ${seconds} s\n`);
    return this.isAlive ? found : [...found, `seed ${this.seed}, ${part}: the process ended`];
  }

  async close(): Promise<void> {
    await this.#process.end();
    await this.#api.close();
  }
}

export interface Finding {
  readonly faults: readonly string[];
  readonly sent: string;
}

const LISTS = `{
  jobs(first: 20) { edges { node { id files { id } } } }
  schedules(first: 5) { edges { node { id } } }
  products(first: 5) { edges { node { id variants(first: 1) { edges { node { id } } } } } }
  notifications(first: 5) { edges { node { id } } }
  webhookEndpoints(first: 5) { edges { node { id deliveries(first: 1) { edges { node { id } } } } } }
  workers(first: 3) { edges { node { id } } }
  members(first: 20) { edges { node { role user { id } } } }
}`;

const ENDPOINT = `mutation ($url: String!) {
  createWebhookEndpoint(input: { url: $url }) { endpoint { id } userErrors { message } } }`;

/** All ids but those of the one who asks: their key is not to be revoked meanwhile. */
async function ownIds(api: TestApi): Promise<string[]> {
  // The seeded endpoints have no secrets that could be read: those are made as anybody would.
  await api.database.db.query('DELETE FROM webhook_endpoints WHERE organization_id = $1', [
    api.organization.id,
  ]);
  await Promise.all(
    [1, 2, 3].map((n) => api.ask(ENDPOINT, { url: `https://hooks.example.com/${n}` }, 'admin')),
  );
  const { data } = await api.ask(LISTS, {}, 'admin');
  const { data: me } = await api.ask('{ viewer { user { id } } }', {}, 'admin');
  const mine: readonly string[] = JSON.stringify(me).match(/\b[a-z]{3}_[0-9a-z]{26}\b/g) ?? [];
  const found = JSON.stringify(data).match(/\b[a-z]{3}_[0-9a-z]{26}\b/g) ?? [];
  return [...new Set(found)].filter((id) => !mine.includes(id));
}

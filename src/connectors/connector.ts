import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import type { BackoffPolicy } from '../lib/backoff.ts';
import { fact, type Fact } from '../domain/facts.ts';
import type { Feed } from '../domain/panel.ts';
import type { ProviderClient } from './client.ts';
import { CursorLost } from './cursor-lost.ts';
import { defineOAuth, type OAuthFlow, type ProviderOAuth } from './oauth.ts';
import { ProviderError } from './provider-error.ts';

/** What a provider says of the account behind a connection. */
export interface Account {
  /** The provider's own id of it */
  readonly id: string;
  /** For people: a shop's name, an address */
  readonly label: string;
  /** IANA name in which the provider counts its days; null where it counts none */
  readonly timeZone: string | null;
  /** ISO 4217; null where nothing is counted in money */
  readonly currency: string | null;
  /** Permissions that we use and do not have, in the provider's words */
  readonly missingScopes: readonly string[];
}

/** Where the secrets of a connection are kept. */
export interface CredentialStore<Credentials> {
  read(): Promise<Credentials>;
  /**
   * Replaces what was read last, at once for everybody: a rotated refresh token opens nothing a second time.
   * @returns false when somebody else has replaced it since: nothing was written, and what they wrote is to be read
   */
  replace(credentials: Credentials): Promise<boolean>;
}

export interface OpenOptions<Config, Credentials> {
  readonly config: Config;
  readonly credentials: CredentialStore<Credentials>;
  readonly clock: Clock;
  /** In the place of the provider's own address: tests and development */
  readonly baseUrl?: string | undefined;
  readonly backoff?: BackoffPolicy | undefined;
}

/** What a pull has at hand. A provider that is no HTTP API has another client, or none. */
export interface PullContext<Config, Client = ProviderClient> {
  readonly client: Client;
  readonly account: Account;
  readonly config: Config;
  readonly signal: AbortSignal;
  /** The oldest moment that a first run asks for */
  readonly from: Date;
  now(): Date;
}

/** One answer of a provider. Its records, their facts and the cursor are written together, or none of them. */
export interface Page<Cursor> {
  /** As they came */
  readonly records: readonly unknown[];
  /** Ids of records that the provider says are gone */
  readonly removed?: readonly string[];
  /** From where to go on once this page is written */
  readonly cursor: Cursor;
  /** Nothing more for now */
  readonly isLast: boolean;
  /** All records of this run, where the provider tells */
  readonly total?: number | null;
  /** What is to be known of the figures, such as that they were sampled; for people */
  readonly notes?: readonly string[];
}

interface EntitySpec<Config, Row, Cursor, Client> {
  readonly title: string;
  /** What its facts are for; null: it has none */
  readonly feeds: Feed | null;
  /** Whether an account that is connected like this has any; absent: always */
  readonly isIn?: (config: Config) => boolean;
  /** Only what is read; what else a provider sends is left out. Values of open enums are texts */
  readonly record: z.ZodType<Row>;
  readonly cursor: z.ZodType<Cursor>;
  /** `complete`: a run without a cursor lists everything, and what it did not list is gone */
  readonly scan: 'changes' | 'complete';
  idOf(row: Row): string;
  factsOf(row: Row, account: Account): readonly Fact[];
  /** Pages in order, each from the cursor of the one before; null: from `ctx.from`. */
  pull(ctx: PullContext<Config, Client>, after: Cursor | null): AsyncIterable<Page<Cursor>>;
}

/** A record that made sense, with what it says. */
export interface PulledRecord {
  readonly id: string;
  /** What is kept of it: JSON */
  readonly data: unknown;
  readonly facts: readonly Fact[];
}

/** One that did not. */
export interface RejectedRecord {
  readonly key: string;
  readonly message: string;
}

export interface PulledPage {
  readonly records: readonly PulledRecord[];
  readonly rejected: readonly RejectedRecord[];
  readonly removed: readonly string[];
  /** JSON */
  readonly cursor: unknown;
  readonly isLast: boolean;
  readonly total: number | null;
  readonly notes: readonly string[];
}

/** One kind of thing that a provider has: orders, tickets. */
export interface Entity<Config, Client = ProviderClient> {
  readonly title: string;
  readonly feeds: Feed | null;
  isIn(config: Config): boolean;
  readonly scan: 'changes' | 'complete';
  /**
   * @param after a cursor of an earlier page, as it was stored; one that this release does not read counts as none, and
   * one that the provider no longer reads begins anew
   */
  pull(ctx: PullContext<Config, Client>, after: unknown): AsyncIterable<PulledPage>;
}

/** Hides an entity's own types: whoever syncs it needs none of them. */
export function defineEntity<Config, Row, Cursor, Client = ProviderClient>(
  spec: EntitySpec<Config, Row, Cursor, Client>,
): Entity<Config, Client> {
  const { title, feeds, scan, cursor, isIn = () => true } = spec;
  return {
    title,
    feeds,
    isIn,
    scan,
    async *pull(ctx, after) {
      const known = cursor.safeParse(after);
      for await (const page of resume(spec, ctx, known.data ?? null)) yield read(spec, page, ctx);
    },
  };
}

const BEGUN_ANEW = 'The provider no longer knew where reading had stopped, so it began anew.';

/** The pages of a pull, begun anew once when its cursor is lost before the first of them. */
async function* resume<Config, Row, Cursor, Client>(
  { pull, cursor }: EntitySpec<Config, Row, Cursor, Client>,
  ctx: PullContext<Config, Client>,
  after: Cursor | null,
): AsyncGenerator<Page<Cursor>> {
  try {
    yield* pull(ctx, after);
    return;
  } catch (error) {
    if (!(error instanceof CursorLost)) throw error;
    const beginAt = cursor.safeParse(error.beginAt).data ?? null;
    let notes = [BEGUN_ANEW];
    try {
      for await (const page of pull(ctx, beginAt)) {
        yield { ...page, notes: [...notes, ...(page.notes ?? [])] };
        notes = [];
      }
    } catch (again) {
      throw again instanceof CursorLost ? again.refusal : again;
    }
  }
}

function read<Config, Row, Cursor, Client>(
  spec: EntitySpec<Config, Row, Cursor, Client>,
  page: Page<Cursor>,
  { account }: PullContext<Config, Client>,
): PulledPage {
  const records: PulledRecord[] = [];
  const rejected: RejectedRecord[] = [];
  page.records.forEach((raw, index) => {
    const row = spec.record.safeParse(raw);
    if (!row.success) {
      rejected.push({ key: keyOf(raw) ?? `record ${index + 1}`, message: z.prettifyError(row.error) });
      return;
    }
    const id = spec.idOf(row.data);
    const facts = z.array(fact).safeParse(spec.factsOf(row.data, account));
    if (facts.success) records.push({ id, data: row.data, facts: facts.data });
    // A record of its right shape may still say what cannot be: a day that no calendar has.
    else rejected.push({ key: id, message: z.prettifyError(facts.error) });
  });
  const { removed = [], cursor, isLast, total = null, notes = [] } = page;
  return { records, rejected, removed, cursor, isLast, total, notes };
}

const withId = z.object({ id: z.union([z.string(), z.number()]) });

function keyOf(raw: unknown): string | null {
  const parsed = withId.safeParse(raw);
  return parsed.success ? String(parsed.data.id) : null;
}

/** Something that happened at a provider, as it told us. */
export interface ProviderEvent {
  /** The provider's id of this delivery: the same twice is the same event */
  readonly id: string;
  /** Entities to look at now */
  readonly entities: readonly string[];
}

export interface ProviderWebhook {
  /**
   * @param body as it came, byte for byte
   * @param secrets any of them may have signed it: while one is replaced there are two
   * @returns null for what this provider did not sign with one of them, or signed too long ago
   */
  verify(request: {
    readonly body: Buffer;
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly secrets: readonly string[];
    readonly now: Date;
  }): ProviderEvent | null;
  /** What signs where nobody entered a secret; null: nothing does. Absent: always nothing */
  readonly secretIn?: (credentials: unknown) => string | null;
}

/** A provider's id of a delivery, as it is stored. */
export const eventId = z.string().regex(/^[\x21-\x7e]{1,500}$/);

interface ConnectorSpec<Config, Credentials, Client> {
  /** In addresses, rows and logs: "google_analytics" */
  readonly provider: string;
  /** For people */
  readonly title: string;
  /** What a person enters that is no secret: a shop's domain */
  readonly config: z.ZodType<Config>;
  /** Stored encrypted, seen by nobody again */
  readonly credentials: z.ZodType<Credentials>;
  open(options: OpenOptions<Config, Credentials>): Client;
  /** One or two short requests: do the credentials work, and whose are they? */
  check(client: Client, config: Config, signal: AbortSignal): Promise<Account>;
  readonly entities: Readonly<Record<string, Entity<Config, Client>>>;
  readonly webhook?: ProviderWebhook;
  /** Absent: it is connected by keys alone */
  readonly oauth?: ProviderOAuth<Config, Credentials>;
}

/** A connection that is open: everything below it goes to one account. */
export interface OpenConnection {
  check(signal: AbortSignal): Promise<Account>;
  /** Names of what this account has */
  readonly entities: readonly string[];
  /** @throws ProviderError, or the signal's reason, while it is read */
  pull(
    entity: string,
    run: {
      readonly account: Account;
      readonly from: Date;
      readonly after: unknown;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<PulledPage>;
}

/** A provider, its own types hidden. */
export interface Connector {
  readonly provider: string;
  readonly title: string;
  readonly config: z.ZodType;
  readonly credentials: z.ZodType;
  readonly entities: Readonly<Record<string, Pick<Entity<never>, 'title' | 'feeds' | 'scan'>>>;
  readonly webhook: ProviderWebhook | null;
  /** Null: it is connected by keys alone */
  readonly oauth: OAuthFlow | null;
  /** @throws ZodError for a configuration or credentials of another release */
  open(options: OpenOptions<unknown, unknown>): OpenConnection;
}

export function defineConnector<Config, Credentials, Client = ProviderClient>(
  spec: ConnectorSpec<Config, Credentials, Client>,
): Connector {
  const { provider, title, config, credentials, entities, webhook = null, oauth } = spec;
  return {
    provider,
    title,
    config,
    credentials,
    entities,
    webhook,
    oauth: oauth ? defineOAuth(config, oauth) : null,
    open(options) {
      const own = config.parse(options.config);
      const store: CredentialStore<Credentials> = {
        read: async () => credentials.parse(await options.credentials.read()),
        replace: (next) => options.credentials.replace(next),
      };
      const client = spec.open({ ...options, config: own, credentials: store });
      const now = (): Date => options.clock.now();
      return {
        check: (signal) => spec.check(client, own, signal),
        entities: Object.keys(entities).filter((name) => entities[name]?.isIn(own)),
        pull(name, { after, ...run }) {
          const entity = Object.hasOwn(entities, name) ? entities[name] : undefined;
          if (!entity) throw new ProviderError('bad_request', `${title} has no ${name}.`);
          return entity.pull({ client, config: own, now, ...run }, after);
        },
      };
    },
  };
}

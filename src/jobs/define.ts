import type { z } from 'zod';
import type { BackoffPolicy } from '../lib/backoff.ts';
import type { QueueName } from '../domain/job.ts';

/** Everything about a kind of job but how it is done: shared by the API, which starts it, and the worker. */
export interface JobContract<
  Kind extends string = string,
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodObject = z.ZodObject,
> {
  /** lower_snake, stable for ever; GraphQL's enum value is its upper case */
  readonly kind: Kind;
  /** Of the input's shape. A worker runs its own version and, by `upgrade`, each one before it */
  readonly version: number;
  readonly queue: QueueName;
  /** Shown to people: "Import products" */
  readonly title: string;
  readonly input: Input;
  readonly output: Output;
  readonly retry: { readonly maxAttempts: number; readonly backoff: BackoffPolicy };
  /** One attempt may take this long, in ms */
  readonly timeoutMs: number;
  /** Jobs with equal keys do not live at once, per organization; null for this input: no limit */
  readonly uniqueKey?: (input: z.infer<Input>) => string | null;
  /** A finished result may be returned for an equal input (`maxAgeSeconds`) */
  readonly cacheable?: boolean;
  /** "api": has a `start…` mutation; "internal": only other jobs and schedules start it */
  readonly startable: 'api' | 'internal';
  /** People may make schedules for it; absent: if it has a `start…` mutation */
  readonly schedulable?: boolean;
  /** Input of a job over only the failed rows of another; absent: the kind keeps no ledger of rows */
  readonly retryFailedItems?: (input: z.infer<Input>, failedJobId: string) => z.input<Input>;
  /** Names that this kind had before */
  readonly aliases?: readonly string[];
  /** An older version's input in today's shape; parsed by `input` afterwards. @throws when it cannot be */
  readonly upgrade?: (input: unknown, version: number) => unknown;
}

export function defineJob<Kind extends string, Input extends z.ZodObject, Output extends z.ZodObject>(
  contract: JobContract<Kind, Input, Output>,
): JobContract<Kind, Input, Output> {
  return contract;
}

export function isSchedulable({ startable, schedulable = startable === 'api' }: JobContract): boolean {
  return schedulable;
}

export type JobInput<C extends JobContract> = z.infer<C['input']>;
export type JobOutput<C extends JobContract> = z.infer<C['output']>;

/** A set of kinds, by name: the apps take it as an argument, so that tests add kinds of their own. */
export type JobCatalogue = Readonly<Record<string, JobContract>>;

/** @throws when two kinds share a name or an alias: at start-up, not at the first job */
export function catalogueOf<const Contracts extends readonly JobContract[]>(
  ...contracts: Contracts
): { readonly [C in Contracts[number] as C['kind']]: C } {
  const names = contracts.flatMap((contract) => [contract.kind, ...(contract.aliases ?? [])]);
  const doubled = names.find((name, index) => names.indexOf(name) !== index);
  if (doubled) throw new Error(`two kinds of job are called ${doubled}`);
  return Object.fromEntries(contracts.map((contract) => [contract.kind, contract])) as {
    readonly [C in Contracts[number] as C['kind']]: C;
  };
}

/** All names under which rows of these kinds are stored; null: of every kind but the system's own. */
export function storedNames(catalogue: JobCatalogue, kinds: readonly string[] | null): string[] {
  return Object.values(catalogue)
    .filter(({ kind, queue }) => queue !== 'internal' && (kinds === null || kinds.includes(kind)))
    .flatMap(({ kind, aliases }) => [kind, ...(aliases ?? [])]);
}

/** Each kind but the system's own, with all names under which its rows are stored. */
export function storedKinds(catalogue: JobCatalogue): ReadonlyMap<string, readonly string[]> {
  return new Map(
    Object.keys(catalogue).flatMap((kind) => {
      const names = storedNames(catalogue, [kind]);
      return names.length > 0 ? [[kind, names] as const] : [];
    }),
  );
}

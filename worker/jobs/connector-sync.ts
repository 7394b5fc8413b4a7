import { JobFailure } from '../../src/domain/errors.ts';
import type { connectorSync } from '../../src/jobs/connector-sync.ts';
import type { JobInput } from '../../src/jobs/define.ts';
import { connectorOf, openStored } from '../../src/connections/open.ts';
import { endRun, failEntity, noteAnswers, noteMissingScope } from '../../src/repositories/connection-runs.ts';
import { findConnection } from '../../src/repositories/connections.ts';
import type { Handler, JobContext } from '../context.ts';
import { AnswerTimes } from './connector-sync/answer-times.ts';
import { judge, type AfterError } from './connector-sync/failure.ts';
import { tellPanel } from './connector-sync/panels.ts';
import { readEntity } from './connector-sync/read-entity.ts';
import { added, runState, startState } from './connector-sync/run-state.ts';
import { titleOf, type SyncRun } from './connector-sync/run.ts';

type SyncInput = JobInput<typeof connectorSync>;
type EntityError = Extract<AfterError, { readonly type: 'entity' }>;
type QuotaUsedUp = Extract<AfterError, { readonly type: 'quota' }>;

/** Reads what is new at a provider; see `src/jobs/connector-sync.ts` for what goes in and comes out. */
export const syncConnection: Handler<typeof connectorSync> = async (ctx, input) => {
  const run = await openRun(ctx, input);
  try {
    await finish(run, await readEntities(run));
    return run.state.tally;
  } finally {
    await noteTimes(run);
  }
};

/** Kept by day and for people alone: a process that is killed loses what it counted, and nothing fails for it. */
async function noteTimes({ ctx, stored, answers }: SyncRun): Promise<void> {
  const counted = answers.take();
  if (!counted) return;
  await noteAnswers(ctx.db, stored.organizationId, stored.provider, counted).catch((err: unknown) =>
    ctx.connections.log.warn({ err, jobId: ctx.jobId }, 'how a provider answered was not noted'),
  );
}

async function openRun(ctx: JobContext, input: SyncInput): Promise<SyncRun> {
  const stored = await findConnection(ctx.db, ctx.organization.id, input.connectionId);
  if (!stored) throw JobFailure.permanent('SOURCE_EXPIRED', 'The connection is disconnected.');
  const connector = connectorOf(ctx.connections, stored.provider);
  if (!connector)
    throw JobFailure.permanent('PROVIDER_REJECTED', `This release knows no provider "${stored.provider}".`);
  const connection = openStored(ctx.connections, stored);
  const { accountKey: id, label, timeZone, currency, missingScopes } = stored;
  const from = input.full ? stored.syncFrom : (input.from ?? stored.syncFrom);
  return {
    ctx,
    stored,
    connector,
    connection,
    account: { id, label, timeZone, currency, missingScopes },
    from: new Date(`${from}T00:00:00Z`),
    anew: input.full || input.from != null,
    entities: chosen(connection.entities, input.entities ?? null),
    answers: new AnswerTimes(),
    state: (await ctx.resume(runState)) ?? startState(ctx.now()),
  };
}

function chosen(known: readonly string[], asked: readonly string[] | null): readonly string[] {
  const unknown = asked?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) {
    const names = unknown.map((name) => `"${name}"`).join(', ');
    throw JobFailure.permanent(
      'PROVIDER_REJECTED',
      `The account has no ${names}; it has ${known.join(', ')}.`,
    );
  }
  return asked === null ? known : known.filter((name) => asked.includes(name));
}

interface ReadingEnd {
  /** Entities that could not be read */
  readonly errors: readonly EntityError[];
  /** Why it ended early; null: it came to its end */
  readonly quota: QuotaUsedUp | null;
}

/** @throws JobFailure where the sync cannot go on now */
async function readEntities(run: SyncRun): Promise<ReadingEnd> {
  const errors: EntityError[] = [];
  for (const entity of run.entities) {
    if (run.state.done.includes(entity)) continue;
    try {
      await readEntity(run, entity);
    } catch (error) {
      run.ctx.signal.throwIfAborted();
      const after = judge(error, run.ctx.now());
      if (after.type === 'quota') return { errors, quota: after };
      if (after.type === 'snooze') throw after.failure;
      if (after.type === 'refused') throw await refused(run, after.failure);
      errors.push(await passBy(run, entity, after));
    }
  }
  return { errors, quota: null };
}

/** Nothing is due until somebody connects the account anew. */
async function refused(run: SyncRun, failure: JobFailure): Promise<JobFailure> {
  const { ctx, stored } = run;
  const { code, message } = failure;
  await ctx.transaction((tx) =>
    endRun(tx, stored.id, { since: null, failure: { code, message }, isRefused: true, notBefore: null }),
  );
  for (const entity of run.entities) tellPanel(run, entity);
  return failure;
}

/** The entity's trouble is written down; the others are read all the same. */
async function passBy(run: SyncRun, entity: string, error: EntityError): Promise<EntityError> {
  const { ctx, stored } = run;
  const { code, message, mayRetry, scope } = error;
  const state = mayRetry
    ? run.state
    : {
        ...run.state,
        done: [...run.state.done, entity],
        tally: added(run.state.tally, { failedEntities: 1 }),
      };
  await ctx.transaction(async (tx) => {
    await failEntity(tx, stored.id, entity, { code, message });
    if (scope !== null) await noteMissingScope(tx, stored.id, scope);
    if (mayRetry) return;
    tx.items([{ key: entity, code, message: `${titleOf(run, entity)}: ${message}`, outcome: 'warned' }]);
    tx.count({ warned: 1 });
    tx.checkpoint(state);
  });
  run.state = state;
  if (mayRetry) ctx.log.warn(`${titleOf(run, entity)}: ${message}`);
  tellPanel(run, entity);
  return error;
}

/** What the sync has come to, as the connection tells it. @throws JobFailure when it has to be tried again, or read nothing */
async function finish(run: SyncRun, { errors, quota }: ReadingEnd): Promise<void> {
  const { ctx, stored, entities, state } = run;
  const [first] = errors;
  const isWhole = !first && !quota && entities.length === run.connection.entities.length;
  await ctx.transaction(async (tx) => {
    await endRun(tx, stored.id, {
      since: isWhole ? new Date(state.since) : null,
      failure: first ? { code: first.code, message: first.message } : null,
      isRefused: false,
      notBefore: quota?.until ?? null,
    });
    if (!quota) return;
    const message = `${quota.message} The rest is read after ${quota.until.toISOString()}.`;
    tx.items([{ key: stored.label, code: 'QUOTA_USED_UP', message, outcome: 'warned' }]);
    tx.count({ warned: 1 });
  });
  if (quota) return;
  const retryable = errors.find(({ mayRetry }) => mayRetry);
  if (retryable) throw JobFailure.retryable(retryable.code, retryable.message);
  if (first && state.tally.failedEntities === entities.length)
    throw JobFailure.permanent(first.code, first.message);
}

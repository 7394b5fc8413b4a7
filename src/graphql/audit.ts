import { defaultFieldResolver, GraphQLError, type GraphQLField, type GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { z } from 'zod';
import { activityOf, type Deed } from '../auth/audit-trail.ts';
import { LruMap } from '../lib/lru-map.ts';
import type { NewActivity } from '../repositories/activities.ts';
import { mutationsIn } from './audit-fields.ts';
import { objectOf, toldValues } from './audit-object.ts';
import type { GraphQLContext } from './context.ts';

type MutationField = GraphQLField<unknown, GraphQLContext, Record<string, unknown>>;

/** What is told by its caller, thousands at a time, and is itself a record of what was done: it has no second one. */
export const NOT_AUDITED: ReadonlySet<string> = new Set(['logActivity', 'recordAgentActivity']);

/** Entries of operations that are under way: they are written together, before the answer goes out. */
const pending = new WeakMap<GraphQLContext, NewActivity[]>();

/** Has an entry made of each mutation, whoever wrote it and however it ends. @returns the schema */
export function withAudit(schema: GraphQLSchema): GraphQLSchema {
  const fields: Readonly<Record<string, MutationField>> = schema.getMutationType()?.getFields() ?? {};
  for (const field of Object.values(fields)) {
    if (!NOT_AUDITED.has(field.name)) audit(field);
  }
  return schema;
}

/** Whether `withAudit` has come to a field. */
export const isAudited = ({ extensions }: Pick<MutationField, 'extensions'>): boolean =>
  extensions['isAudited'] === true;

function audit(field: MutationField): void {
  const { resolve = defaultFieldResolver, args: known } = field;
  field.extensions = { ...field.extensions, isAudited: true };
  field.resolve = async (root, args, ctx, info) => {
    const told = toldValues(known, args);
    const entry = (payload: unknown, problems: readonly Problem[]): Promise<void> =>
      noteOrWrite(ctx, {
        ...deedOf(field.name, problems),
        ...objectOf(told, args, payload),
        details: detailsOf(told, problems),
      });
    try {
      const payload: unknown = await resolve(root, args, ctx, info);
      await entry(payload, problemsIn(payload));
      return payload;
    } catch (error) {
      await entry(null, [{ code: codeOf(error), field: null }]);
      throw error;
    }
  };
}

/** What went wrong, without its text: that may repeat what was sent. */
interface Problem {
  readonly code: string;
  readonly field: readonly string[] | null;
}

const failedPayload = z.object({
  userErrors: z.array(z.object({ code: z.string(), field: z.array(z.string()).nullish() })),
});

function problemsIn(payload: unknown): Problem[] {
  const parsed = failedPayload.safeParse(payload);
  if (!parsed.success) return [];
  return parsed.data.userErrors.map(({ code, field }) => ({ code, field: field ?? null }));
}

function codeOf(error: unknown): string {
  const code = error instanceof GraphQLError ? error.extensions['code'] : null;
  return typeof code === 'string' ? code : 'INTERNAL';
}

const PROBLEMS_MAX = 20;

function deedOf(action: string, problems: readonly Problem[]): Omit<Deed, 'details'> {
  const [first] = problems;
  const words = wordsOf(action);
  const summary = first ? `${words}: ${first.code}` : words;
  return { action, isAudit: true, objectType: null, objectId: null, succeeded: !first, summary };
}

function detailsOf(told: Readonly<Record<string, string>>, problems: readonly Problem[]): unknown {
  const hasTold = Object.keys(told).length > 0;
  if (!hasTold && problems.length === 0) return null;
  return {
    ...(hasTold ? { arguments: told } : {}),
    ...(problems.length > 0 ? { errors: problems.slice(0, PROBLEMS_MAX) } : {}),
  };
}

/** "startProductImport" → "Start product import" */
function wordsOf(action: string): string {
  const words = action.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What resolves after its operation was given up goes alone. */
async function noteOrWrite(ctx: GraphQLContext, deed: Deed): Promise<void> {
  const entry = activityOf(ctx, deed);
  const waiting = pending.get(ctx);
  if (waiting) waiting.push(entry);
  else await ctx.audit.note([entry]);
}

/** One caller's refusals of one mutation within this time are one entry, in ms: they cost nothing, and tables have an end. */
const REFUSED_ONCE_MS = 60_000;
const REFUSALS_MAX = 10_000;

/** Writes the entries of an operation when it has run, or that its caller may not run it. Comes before `useAuthorization`. */
export function useAudit(): Plugin<GraphQLContext> {
  const refused = new LruMap<string, number>({ weightMax: REFUSALS_MAX });

  function isNews({ principal, clock }: GraphQLContext, name: string): boolean {
    const key = JSON.stringify([principal.organization.id, principal.credential, name]);
    const now = clock.now().getTime();
    const last = refused.get(key);
    if (last !== undefined && now - last < REFUSED_ONCE_MS) return false;
    refused.set(key, now);
    return true;
  }

  function refusals(ctx: GraphQLContext, names: readonly string[]): NewActivity[] {
    const problems = [{ code: 'FORBIDDEN', field: null }];
    return names
      .filter((name) => isNews(ctx, name))
      .map((name) => activityOf(ctx, { ...deedOf(name, problems), details: detailsOf({}, problems) }));
  }

  return {
    onExecute({ args: { document, operationName, contextValue: ctx } }) {
      const names = mutationsIn(document, operationName);
      if (names.length === 0) return undefined;
      const entries: NewActivity[] = [];
      pending.set(ctx, entries);
      return {
        async onExecuteDone({ result }) {
          pending.delete(ctx);
          const isRefused = entries.length === 0 && isForbidden(result);
          await ctx.audit.note(isRefused ? refusals(ctx, names) : entries);
        },
      };
    },
  };
}

const refusedResult = z.object({
  errors: z.array(z.object({ extensions: z.object({ code: z.string() }) })),
});

function isForbidden(result: unknown): boolean {
  const parsed = refusedResult.safeParse(result);
  return parsed.success && parsed.data.errors[0]?.extensions.code === 'FORBIDDEN';
}

import {
  getOperationAST,
  Kind,
  visit,
  type DocumentNode,
  type ExecutionArgs,
  type FieldNode,
  type GraphQLSchema,
} from 'graphql';
import { z } from 'zod';
import { permissionsKey } from '../../auth/permission.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import type { GraphQLContext } from '../context.ts';

/**
 * How a subscription field's results may be shared by subscribers who see the same. In its `extensions`, under `shared`.
 * - each: every subscriber gets every value of a stream of its own, and equal values are executed once. `position`
 *   names an argument that says only where a stream begins, and never changes a result.
 * - latest: all follow one stream and get the latest result that their connection has room for.
 */
const sharing = z.discriminatedUnion('type', [
  z.object({ type: z.literal('each'), position: z.string() }),
  z.object({ type: z.literal('latest') }),
]);
export type Sharing = z.infer<typeof sharing>;

export interface SharedArgs extends ExecutionArgs {
  readonly contextValue: GraphQLContext;
}

export interface SharingPlan {
  readonly type: Sharing['type'];
  /** Equal for operations that give the same results to whoever runs them */
  readonly key: string;
}

/** What of a plan depends on the document alone. */
interface DocumentPlan {
  readonly type: Sharing['type'];
  readonly text: string;
  readonly positionVariable: string | null;
}

const plans = new WeakMap<DocumentNode, Map<string | null, DocumentPlan | null>>();

/** @returns null when each subscriber must be served alone */
export function planSharing(args: SharedArgs): SharingPlan | null {
  const plan = documentPlan(args);
  if (!plan) return null;
  const { principal } = args.contextValue;
  const variables = Object.entries(args.variableValues ?? {}).filter(
    ([name]) => name !== plan.positionVariable,
  );
  const key = [
    principal.organization.id,
    principal.role,
    permissionsKey(principal.permissions),
    args.operationName ?? null,
    Object.fromEntries(variables),
    plan.text,
  ];
  return { type: plan.type, key: canonicalJson(key) };
}

function documentPlan({ schema, document, operationName = null }: SharedArgs): DocumentPlan | null {
  const known = plans.get(document) ?? new Map<string | null, DocumentPlan | null>();
  plans.set(document, known);
  const found = known.get(operationName);
  if (found !== undefined) return found;
  const plan = makePlan(schema, document, operationName);
  known.set(operationName, plan);
  return plan;
}

function makePlan(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
): DocumentPlan | null {
  const field = getOperationAST(document, operationName)?.selectionSet.selections[0];
  // A root field inside a fragment is legal and rare: it is served alone.
  if (field?.kind !== Kind.FIELD || !document.loc) return null;
  const { extensions } = schema.getSubscriptionType()?.getFields()[field.name.value] ?? {};
  const shared = sharing.safeParse(extensions?.['shared']);
  if (!shared.success) return null;
  const positionVariable =
    shared.data.type === 'each' ? onlyVariableOf(document, field, shared.data.position) : null;
  return { type: shared.data.type, text: document.loc.source.body, positionVariable };
}

/** The variable that gives an argument its value, if it is used for nothing else. */
function onlyVariableOf(document: DocumentNode, field: FieldNode, argument: string): string | null {
  const value = field.arguments?.find(({ name }) => name.value === argument)?.value;
  if (value?.kind !== Kind.VARIABLE) return null;
  let uses = 0;
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => {
      if (name.value === value.name.value) uses += 1;
    },
  });
  return uses === 1 ? value.name.value : null;
}

/**
 * The context of an execution whose result several people get. It knows no person, so that a field which depends on
 * one can show nobody's data to another.
 */
export function sharedContext(context: GraphQLContext): GraphQLContext {
  return {
    ...context,
    principal: { ...context.principal, userId: null, credential: 'shared', triggeredBy: 'api:shared' },
  };
}

import {
  createSourceEventStream,
  execute,
  subscribe,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { GraphQLContext } from './context.ts';
import { isIncremental } from './ordered-execution.ts';
import { EachStream, type EachGroup } from './sharing/each.ts';
import { Groups, type ExecuteFor } from './sharing/groups.ts';
import { latestStream, type LatestGroup } from './sharing/latest.ts';
import { planSharing, sharedContext, type SharedArgs } from './sharing/plan.ts';

/**
 * Subscribers who see the same share the work: an event is executed once for all who asked the same document with the
 * same variables, in the same organization and role. Who may subscribe is still decided for each, before it joins.
 */
export function useSharedSubscriptions(): Plugin<GraphQLContext> {
  const groups: SharedGroups = { each: new Groups(), latest: new Groups() };
  return {
    onSubscribe({ args, setSubscribeFn }) {
      if (isIncremental(args.document)) return;
      const { contextValue } = args;
      setSubscribeFn((own: ExecutionArgs) => subscribeShared({ ...own, contextValue }, groups));
    },
  };
}

interface SharedGroups {
  readonly each: Groups<EachGroup>;
  readonly latest: Groups<LatestGroup>;
}

async function subscribeShared(
  args: SharedArgs,
  groups: SharedGroups,
): Promise<AsyncIterable<ExecutionResult> | ExecutionResult> {
  const plan = planSharing(args);
  if (!plan) return subscribe(args);
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source;
  const contextValue = sharedContext(args.contextValue);
  const executeFor: ExecuteFor = (value) => execute({ ...args, contextValue, rootValue: value });
  return plan.type === 'each'
    ? new EachStream(source, groups.each, plan.key, executeFor)
    : latestStream(source, groups.latest, plan.key, executeFor);
}

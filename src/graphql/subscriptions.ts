import type { Plugin } from 'graphql-yoga';
import type { ApiLimits } from '../domain/api-limits.ts';
import type { Log } from '../lib/log.ts';
import { Slots } from '../lib/slots.ts';
import { isAsyncIterable } from './async-iterable.ts';
import { guardOf } from './authorization/guard.ts';
import type { GraphQLContext } from './context.ts';
import { DeliveredStream } from './delivered-stream.ts';
import { problem } from './errors.ts';
import { maskResult } from './masking.ts';

interface SubscriptionOptions {
  readonly limits: Pick<ApiLimits, 'subscriptionsPerOrganization'>;
  readonly log: Log;
}

/** Gives each organization room for so many live subscriptions, and masks and guards all that they deliver. */
export function useSubscriptions({ limits, log }: SubscriptionOptions): Plugin<GraphQLContext> {
  const max = limits.subscriptionsPerOrganization;
  const places = new Slots(max);
  return {
    onSubscribe({ args, subscribeFn, setSubscribeFn, setResultAndStopExecution }) {
      const { principal, requestId } = args.contextValue;
      const leave = places.take(principal.organization.id);
      if (!leave) {
        setResultAndStopExecution({ errors: [noRoom(max)] });
        return undefined;
      }
      setSubscribeFn(async (own) => {
        try {
          const results: unknown = await subscribeFn(own);
          return results;
        } catch (error) {
          leave();
          throw error;
        }
      });
      return {
        onSubscribeResult: ({ result, setResult }) => {
          if (isAsyncIterable(result)) {
            const guard = guardOf(args);
            setResult(new DeliveredStream({ results: result, log, requestId, guard, onEnd: leave }));
            return;
          }
          leave();
          setResult(maskResult(result, log, requestId));
        },
      };
    },
  };
}

const noRoom = (max: number) =>
  problem(
    'LIMIT_EXCEEDED',
    `At most ${max} subscriptions of one organization may be open. End one before you begin another.`,
    { http: { status: 429 } },
  );

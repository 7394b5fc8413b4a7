import type { ExecutionArgs, GraphQLError } from 'graphql';
import type { Principal } from '../../auth/principal.ts';
import type { GraphQLContext } from '../context.ts';
import { problem } from '../errors.ts';
import { requirementsOf, type Requirements } from './requirements.ts';

export type GuardedArgs = Pick<ExecutionArgs, 'schema' | 'document' | 'operationName'> & {
  readonly contextValue: GraphQLContext;
};

/** Why the caller of an operation may have nothing of it by now, or null. */
export type Guard = () => GraphQLError | null;

/** Asked before an operation runs, and for each event of one that lasts: what a caller may can change, and end. */
export function guardOf({ schema, document, operationName, contextValue: { session } }: GuardedArgs): Guard {
  const requirements = requirementsOf(schema, document, operationName ?? null);
  return () =>
    session.ended
      ? problem(session.ended.code, session.ended.message)
      : refusalFor(session.principal, requirements);
}

function refusalFor({ permissions }: Principal, requirements: Requirements): GraphQLError | null {
  for (const [permission, field] of requirements) {
    if (permissions.has(permission)) continue;
    const name = permission.toUpperCase();
    return problem('FORBIDDEN', `${field} needs the permission ${name}.`, { needs: name });
  }
  return null;
}

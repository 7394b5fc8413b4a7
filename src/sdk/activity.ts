import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type Activity = operations.ActivityFieldsFragment;
export type ActivityPage = operations.ListActivityQuery['activity'];
export type LogActivityInput = operations.LogActivityInput;

/** Who did what, on which object, from where. */
export interface ActivityApi {
  /** Newest first; for admins. `GET /activity.csv` and `/activity.jsonl` give all of it. */
  list(variables?: operations.ListActivityQueryVariables, options?: CallOptions): Promise<ActivityPage>;
  /** Notes what was done elsewhere. @returns the id of the entry. @throws MillraceUserError for a person's mistake */
  log(input: LogActivityInput, options?: CallOptions): Promise<string>;
}

export function createActivity(execute: Execute): ActivityApi {
  return {
    list: async (variables = {}, options) =>
      (await execute(operations.ListActivityDocument, variables, options)).activity,
    log: async (input, options) => {
      const { logActivity } = await execute(operations.LogActivityDocument, { input }, options);
      throwUserErrors(logActivity);
      if (logActivity.activityId === null)
        throw new MillraceError('The server noted nothing and gave no reason.');
      return logActivity.activityId;
    },
  };
}

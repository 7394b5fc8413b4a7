import type { CallOptions, Execute } from './client.ts';
import { throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type Organization = operations.OrganizationFieldsFragment;

/** The organization that the token opens. */
export interface OrganizationApi {
  get(options?: CallOptions): Promise<Organization>;
  /** Changes what is given. For admins. @throws MillraceUserError */
  update(input: operations.UpdateOrganizationInput, options?: CallOptions): Promise<Organization>;
}

export function createOrganizationApi(execute: Execute): OrganizationApi {
  return {
    get: async (options) => (await execute(operations.GetOrganizationDocument, {}, options)).organization,
    async update(input, options) {
      const { updateOrganization } = await execute(operations.UpdateOrganizationDocument, { input }, options);
      throwUserErrors(updateOrganization);
      return updateOrganization.organization;
    },
  };
}

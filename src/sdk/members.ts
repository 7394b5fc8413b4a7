import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type Member = operations.MemberFieldsFragment;
export type MemberPage = operations.ListMembersQuery['members'];

/** Who is in the organization. All mutations are for admins and throw MillraceUserError for a person's mistake. */
export interface Members {
  list(variables?: operations.ListMembersQueryVariables, options?: CallOptions): Promise<MemberPage>;
  /** They are in with their next token of the identity provider that says the address. */
  invite(input: operations.InviteMemberInput, options?: CallOptions): Promise<Member>;
  setRole(userId: string, role: operations.Role, options?: CallOptions): Promise<Member>;
  /** Keys that act in their name go with them. */
  remove(userId: string, options?: CallOptions): Promise<void>;
}

export function createMembers(execute: Execute): Members {
  return {
    list: async (variables = {}, options) =>
      (await execute(operations.ListMembersDocument, variables, options)).members,
    invite: async (input, options) =>
      memberOf((await execute(operations.InviteMemberDocument, { input }, options)).inviteMember),
    setRole: async (userId, role, options) =>
      memberOf((await execute(operations.UpdateMemberDocument, { userId, role }, options)).updateMember),
    remove: async (userId, options) =>
      throwUserErrors((await execute(operations.RemoveMemberDocument, { userId }, options)).removeMember),
  };
}

function memberOf(payload: operations.ChangedMemberFieldsFragment): Member {
  throwUserErrors(payload);
  if (!payload.member) throw new MillraceError('The server changed no member and gave no reason.');
  return payload.member;
}

import type { CallOptions, Execute } from './client.ts';
import { MillraceError, throwUserErrors } from './errors.ts';
import * as operations from './generated/graphql.ts';

export type ApiKey = operations.ApiKeyFieldsFragment;
export type ApiKeyPage = operations.ListApiKeysQuery['apiKeys'];

/** A new key with its token, which is told this once. */
export interface ApiKeyWithToken {
  readonly apiKey: ApiKey;
  readonly token: string;
}

/** For admins. All mutations throw MillraceUserError for a person's mistake. */
export interface ApiKeys {
  list(variables?: operations.ListApiKeysQueryVariables, options?: CallOptions): Promise<ApiKeyPage>;
  create(input: operations.CreateApiKeyInput, options?: CallOptions): Promise<ApiKeyWithToken>;
  /** For good; what it opened is closed within 5 s. */
  revoke(id: string, options?: CallOptions): Promise<ApiKey>;
}

export function createApiKeys(execute: Execute): ApiKeys {
  return {
    list: async (variables = {}, options) =>
      (await execute(operations.ListApiKeysDocument, variables, options)).apiKeys,
    async create(input, options) {
      const { createApiKey } = await execute(operations.CreateApiKeyDocument, { input }, options);
      const apiKey = apiKeyOf(createApiKey);
      if (createApiKey.token === null) throw new MillraceError('The server told no token.');
      return { apiKey, token: createApiKey.token };
    },
    revoke: async (id, options) =>
      apiKeyOf((await execute(operations.RevokeApiKeyDocument, { id }, options)).revokeApiKey),
  };
}

function apiKeyOf(payload: operations.ChangedApiKeyFieldsFragment): ApiKey {
  throwUserErrors(payload);
  if (!payload.apiKey) throw new MillraceError('The server changed no key and gave no reason.');
  return payload.apiKey;
}

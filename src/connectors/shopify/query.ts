import { z } from 'zod';
import type { ProviderClient } from '../client.ts';
import { ProviderError } from '../provider-error.ts';
import { costOf, type QueryCost } from './cost.ts';
import { REQUEST_ID_HEADER } from './judge.ts';

/** A version is served for a year. */
export const API_VERSION = '2026-10';

export interface Query<Data> {
  readonly document: string;
  readonly variables?: Readonly<Record<string, string | number | null>>;
  readonly data: z.ZodType<Data>;
}

interface Answered<Data> {
  readonly data: Data;
  readonly cost: QueryCost | null;
  /** Of Shopify, when it is not the one that we asked */
  readonly otherVersion: string | null;
}

/** @throws ProviderError, or the signal's reason */
export async function ask<Data>(
  client: ProviderClient,
  { document, variables = {}, data }: Query<Data>,
  signal: AbortSignal,
): Promise<Answered<Data>> {
  const { json, headers } = await client.request(
    {
      method: 'POST',
      path: `/admin/api/${API_VERSION}/graphql.json`,
      json: { query: document, variables },
      isRepeatable: true,
    },
    signal,
  );
  const parsed = z.object({ data }).safeParse(json);
  if (!parsed.success) {
    const requestId = headers.get(REQUEST_ID_HEADER);
    throw new ProviderError('bad_request', 'Shopify answered in a form that we do not know.', { requestId });
  }
  // An expired version is answered by the oldest that is still served, without an error.
  const version = headers.get('x-shopify-api-version') ?? API_VERSION;
  return {
    data: parsed.data.data,
    cost: costOf(json),
    otherVersion: version === API_VERSION ? null : version.slice(0, 40),
  };
}

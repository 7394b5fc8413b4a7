import { z } from 'zod';
import type { ProviderAnswer } from '../client.ts';
import type { Page } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';
import { readUpTo, type DayCursor } from './days.ts';

/** Meta's Marketing API, Facebook Pages and Instagram accounts, by the Graph API. */
export const ORIGIN = 'https://graph.facebook.com';
/** Pinned: one that has ended is answered by another (https://developers.facebook.com/docs/graph-api/changelog). */
export const VERSION = 'v26.0';

/** Says when another version answered than was asked, which Meta itself does only in a header. */
export function versionNotes({ headers }: ProviderAnswer): readonly string[] {
  const version = headers.get('facebook-api-version') ?? VERSION;
  return version === VERSION ? [] : [`Meta answered by version ${version} of its API, not by ${VERSION}.`];
}

/** What of Meta one connection reads: whatever has an id here. */
export interface MetaConfig {
  /** Without "act_" */
  readonly adAccountId?: string | undefined;
  readonly pageId?: string | undefined;
  readonly instagramId?: string | undefined;
}

/** @throws ProviderError bad_request for an answer of another shape */
export function readAnswer<Shape>(shape: z.ZodType<Shape>, { json, headers }: ProviderAnswer): Shape {
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ProviderError('bad_request', 'Meta answered something else than was asked for.', {
    requestId: headers.get('x-fb-trace-id'),
    cause: parsed.error,
  });
}

/** For what the connection has no id of. */
export function nothingUpTo(last: string): Page<DayCursor> {
  return { records: [], cursor: readUpTo(last, last), isLast: true };
}

/** A count that comes as a number or as text, or, when it is 0, not at all. */
export const count = z
  .union([z.int(), z.string().regex(/^\d{1,15}$/)])
  .nullish()
  .transform((given) => Number(given ?? 0))
  .pipe(z.int().min(0));

import { z } from 'zod';

/** What happened, and what is told of it. */
export interface Activity {
  readonly id: string;
  readonly at: Date;
  /** As `triggeredBy` of a job */
  readonly actor: string;
  /** A mutation's name, or what a client called it */
  readonly action: string;
  /** Written by ourselves for a mutation, or told by a client */
  readonly isAudit: boolean;
  /** "job", "connection" …; null: none */
  readonly objectType: string | null;
  /** As clients name it */
  readonly objectId: string | null;
  /** False: it was refused, or went wrong */
  readonly succeeded: boolean;
  /** For people */
  readonly summary: string;
  /** Null: within the installation */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  /** As JSON has it; null: none */
  readonly details: unknown;
}

/** Which of an organization's activities are meant; all that are given must hold. Null: whatever it is. */
export interface ActivityFilter {
  readonly actor: string | null;
  readonly actions: readonly string[] | null;
  readonly objectType: string | null;
  readonly objectId: string | null;
  readonly after: Date | null;
  readonly before: Date | null;
  readonly isAudit: boolean | null;
  readonly succeeded: boolean | null;
}

/** As JSON, in UTF-8. */
export const DETAILS_BYTES_MAX = 16_384;

const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, { error: 'expected a text that is not empty' })
    .max(max, { error: `expected at most ${max} characters` });

/** What a client may tell. */
export const activityInput = z.object({
  action: text(100),
  objectType: text(100).nullish(),
  objectId: text(200).nullish(),
  summary: text(1_000),
  succeeded: z.boolean().nullish(),
  details: z
    .unknown()
    .optional()
    .refine((details) => Buffer.byteLength(JSON.stringify(details ?? null)) <= DETAILS_BYTES_MAX, {
      error: `expected at most ${DETAILS_BYTES_MAX} bytes of JSON`,
    }),
});

/** Where a request comes from. */
export interface Origin {
  readonly address: string | null;
  readonly userAgent: string | null;
}

interface RequestLike {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: { readonly 'user-agent'?: string | undefined };
}

const USER_AGENT_LENGTH_MAX = 300;

/** Of a request, as its socket tells it: headers that name another address are anybody's to write. */
export function originOf({ socket, headers }: RequestLike): Origin {
  return {
    address: socket.remoteAddress ?? null,
    userAgent: headers['user-agent']?.slice(0, USER_AGENT_LENGTH_MAX) ?? null,
  };
}

import { randomFillSync } from 'node:crypto';
import { TypeID } from 'typeid-js';
import { v7 as uuidv7 } from 'uuid';

/**
 * Ids are TypeIDs over UUIDv7 (https://github.com/jetify-com/typeid): a `uuid` in Postgres, `job_01j…` for clients.
 * One prefix per type of object that has an id of its own.
 */
export const ID_PREFIXES = {
  job: 'job',
  jobItem: 'itm',
  organization: 'org',
  user: 'usr',
  apiKey: 'key',
  upload: 'upl',
  file: 'fil',
  product: 'prd',
  variant: 'var',
  order: 'ord',
} as const;
export type IdType = keyof typeof ID_PREFIXES;

const RANDOM_BYTES = 16;
/** Random bytes are drawn for many ids at once: one by one they cost 5 µs of the 6 that an id takes. */
const pool = { bytes: Buffer.alloc(RANDOM_BYTES * 256), used: Number.POSITIVE_INFINITY };
const latest = { msecs: 0, seq: 0 };

/** A new UUIDv7; ids made later in one process sort later. */
export function newUuid(): string {
  if (pool.used >= pool.bytes.length) {
    randomFillSync(pool.bytes);
    pool.used = 0;
  }
  const random = pool.bytes.subarray(pool.used, pool.used + RANDOM_BYTES);
  pool.used += RANDOM_BYTES;
  const now = Date.now();
  if (now > latest.msecs) {
    latest.msecs = now;
    // A quarter of the 32 bits at most, so that counting up within the millisecond never runs over.
    latest.seq = random.readUInt32BE(0) >>> 2;
  } else latest.seq += 1;
  return uuidv7({ random, msecs: latest.msecs, seq: latest.seq });
}

/** The id that clients see. */
export function toPublicId(type: IdType, uuid: string): string {
  return TypeID.fromUUID(ID_PREFIXES[type], uuid).toString();
}

/** What a client's id names, or null for anything that is none of ours. */
export function parsePublicId(id: string): { type: IdType; uuid: string } | null {
  try {
    const parsed = TypeID.fromString(id);
    const type = TYPES_BY_PREFIX.get(parsed.getType());
    return type ? { type, uuid: parsed.toUUID() } : null;
  } catch {
    return null;
  }
}

/** The uuid behind a client's id of one type, or null: an id of another type does not exist as this one. */
export function uuidOf(type: IdType, id: string): string | null {
  const parsed = parsePublicId(id);
  return parsed?.type === type ? parsed.uuid : null;
}

const TYPES_BY_PREFIX: ReadonlyMap<string, IdType> = new Map(
  (Object.keys(ID_PREFIXES) as IdType[]).map((type) => [ID_PREFIXES[type], type]),
);

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
  connection: 'con',
  worker: 'wrk',
  schedule: 'sch',
  notification: 'ntf',
  webhookEndpoint: 'whe',
  webhookDelivery: 'whd',
  webhookEvent: 'evt',
  activity: 'act',
} as const;
export type IdType = keyof typeof ID_PREFIXES;

const BYTES = 16;
/** Random bytes are drawn for many ids at once: one by one they take 5 of the 6 µs that an id costs. */
const pool = Buffer.alloc(BYTES * 256);
let used = pool.length;
const random = Buffer.alloc(BYTES);
const made = Buffer.alloc(BYTES);
const latest = { msecs: 0, seq: 0 };

/** A new UUIDv7; ids made later in one process sort later. */
export function newUuid(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += pool.copy(random, 0, used, used + BYTES);
  const now = Date.now();
  // Of the counter's 32 bits, each millisecond starts below a quarter: it never runs over.
  latest.seq = now > latest.msecs ? random.readUInt32BE(0) >>> 2 : latest.seq + 1;
  latest.msecs = Math.max(now, latest.msecs);
  const hex = uuidv7({ random, msecs: latest.msecs, seq: latest.seq }, made).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const TIME_MAX = 2 ** 48 - 1;

/** The smallest UUIDv7 of a millisecond: ids made earlier sort before it, and those made then or later do not. */
export function firstUuidAt(time: Date): string {
  const ms = Math.min(Math.max(time.getTime(), 0), TIME_MAX);
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** The millisecond in which a UUIDv7 was made. */
export function timeOfUuid(uuid: string): Date {
  return new Date(Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16));
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

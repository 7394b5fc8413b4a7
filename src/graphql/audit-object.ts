import {
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isScalarType,
  type GraphQLInputType,
} from 'graphql';
import { ID_PREFIXES, parsePublicId, toPublicId, type IdType } from '../domain/ids.ts';
import { PUBLIC_QUEUE_NAMES } from '../domain/queue.ts';

/** What a mutation was about. */
export interface AuditedObject {
  readonly objectType: string;
  readonly objectId: string;
}

/** What arguments hold that is worth telling, by its path: "input.role". */
export type ToldValues = Readonly<Record<string, string>>;

interface Argument {
  readonly name: string;
  readonly type: GraphQLInputType;
}

const DEPTH_MAX = 4;
const TOLD_MAX = 20;

/**
 * Ids of ours and values of enums: nothing else of what a caller sends is kept, as anything else may be a secret or hold
 * one. A text in the place of an id is no id, and not told either.
 */
export function toldValues(args: readonly Argument[], values: Readonly<Record<string, unknown>>): ToldValues {
  const told: [string, string][] = [];
  for (const { name, type } of args) collect(told, name, type, values[name], 1);
  return Object.fromEntries(told.slice(0, TOLD_MAX));
}

function collect(
  told: [string, string][],
  path: string,
  type: GraphQLInputType,
  value: unknown,
  depth: number,
): void {
  if (value === null || value === undefined || depth > DEPTH_MAX || told.length >= TOLD_MAX) return;
  const plain = getNullableType(type);
  if (isListType(plain)) {
    const items: readonly unknown[] = Array.isArray(value) ? value.slice(0, TOLD_MAX) : [];
    items.forEach((item, index) => collect(told, `${path}.${index}`, plain.ofType, item, depth + 1));
  } else if (isInputObjectType(plain)) {
    for (const field of Object.values(plain.getFields()))
      collect(told, `${path}.${field.name}`, field.type, valueOf(value, field.name), depth + 1);
  } else if (isEnumType(plain)) told.push([path, String(plain.serialize(value))]);
  else if (isScalarType(plain) && plain.name === 'ID' && typeof value === 'string' && parsePublicId(value))
    told.push([path, value]);
}

/** The object that a mutation names, else the one that it answers with. */
export function objectOf(
  told: ToldValues,
  { name }: Readonly<Record<string, unknown>>,
  payload: unknown,
): AuditedObject | null {
  const named = Object.values(told).map(asObject).find(isThere);
  const queue = PUBLIC_QUEUE_NAMES.find((known) => known === name);
  return named ?? (queue ? { objectType: 'queue', objectId: queue } : answeredWith(payload));
}

/** Payloads hold ids as "jobId" or "id", as they are stored or as clients know them, and rows as "upload". */
function answeredWith(payload: unknown): AuditedObject | null {
  if (typeof payload !== 'object' || payload === null) return null;
  return Object.entries(payload).map(objectIn).find(isThere) ?? null;
}

function objectIn([key, value]: [string, unknown]): AuditedObject | null {
  if (typeof value === 'string') return asObject(value) ?? stored(typeNamed(key.replace(/Id$/, '')), value);
  return stored(typeNamed(key), valueOf(value, 'id'));
}

function asObject(id: string): AuditedObject | null {
  const parsed = parsePublicId(id);
  return parsed && { objectType: parsed.type, objectId: id };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function stored(type: IdType | null, id: unknown): AuditedObject | null {
  if (type === null || typeof id !== 'string') return null;
  return UUID.test(id) ? { objectType: type, objectId: toPublicId(type, id) } : asObject(id);
}

/** Payloads call some by a shorter name. */
const SHORT_NAMES: Readonly<Record<string, IdType>> = {
  endpoint: 'webhookEndpoint',
  delivery: 'webhookDelivery',
  key: 'apiKey',
};

function typeNamed(name: string): IdType | null {
  return isIdType(name) ? name : (SHORT_NAMES[name] ?? null);
}

const isIdType = (name: string): name is IdType => Object.hasOwn(ID_PREFIXES, name);
const isThere = (found: AuditedObject | null): found is AuditedObject => found !== null;

function valueOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

import { z } from 'zod';
import { UserFacingError, type UserError } from '../domain/errors.ts';
import { toPublicId, uuidOf } from '../domain/ids.ts';
import { fieldsOf, unionMembers, unwrap, type ZodNode } from './zod-node.ts';

/**
 * A client's input with the uuids behind its ids, ready for the contract's own parser.
 * @throws UserFacingError NOT_FOUND for each id that is none of that type: it cannot exist
 */
export function decodeInput(
  schema: z.ZodObject,
  input: unknown,
  path: readonly string[] = ['input'],
): unknown {
  const errors: UserError[] = [];
  const decoded = map(unwrap(schema), input, path, (node, text, field) => {
    if (!node.idOf) return text;
    const uuid = uuidOf(node.idOf, text);
    if (uuid === null) errors.push({ code: 'NOT_FOUND', field, message: `There is no such ${node.idOf}.` });
    return uuid;
  });
  if (errors.length > 0) throw new UserFacingError(errors);
  return decoded;
}

/**
 * A stored input as its caller would write it: public ids, enum values in upper case, defaults filled in. Of jobs
 * that the system started, also what clients cannot give.
 */
export function encodeInput(schema: z.ZodObject, input: unknown): unknown {
  return map(unwrap(schema), input, [], (node, text) => {
    const type = node.idOf ?? node.shownAs;
    if (type) return z.uuid().safeParse(text).success ? toPublicId(type, text) : text;
    return node.schema instanceof z.ZodEnum ? text.toUpperCase() : text;
  });
}

type MapText = (node: ZodNode, text: string, path: readonly string[]) => unknown;

/** Rebuilds `value` along the schema, each string through `text`; what the schema does not know stays as it is. */
function map(node: ZodNode, value: unknown, path: readonly string[], text: MapText): unknown {
  if (typeof value === 'string') return text(node, value, path);
  if (Array.isArray(value) && node.schema instanceof z.ZodArray) {
    const element = unwrap(node.schema.element);
    return value.map((item, index) => map(element, item, [...path, String(index)], text));
  }
  if (typeof value !== 'object' || value === null) return value;
  const children = childrenOf(node);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const child = children.get(key);
      return [key, child ? map(child, inner, [...path, key], text) : inner];
    }),
  );
}

function childrenOf({ schema }: ZodNode): ReadonlyMap<string, ZodNode> {
  if (schema instanceof z.ZodObject) {
    return new Map(fieldsOf(schema));
  }
  if (schema instanceof z.ZodUnion) {
    return new Map(unionMembers(schema, 'input').map(({ key, value }) => [key, value]));
  }
  return new Map();
}

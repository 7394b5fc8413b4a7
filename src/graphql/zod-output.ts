import type { ObjectRef } from '@pothos/core';
import { z } from 'zod';
import { decimal, money } from '../domain/money.ts';
import { builder } from './builder.ts';
import { Money } from './types/money.ts';
import { enumValuesOf } from './zod-input.ts';
import { fieldsOf, unwrap, type ZodNode } from './zod-node.ts';

type SchemaTypes = typeof builder.$inferSchemaTypes;
export type OutputObject = Readonly<Record<string, unknown>>;
type OutputBuilder = PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, OutputObject>;
type ObjectType = ObjectRef<SchemaTypes, OutputObject>;

const anObject = z.record(z.string(), z.unknown());

/**
 * The GraphQL object type of a contract's output. Closed: strings, numbers and booleans; with `.meta({ graphql })` what
 * else stands for one; with `.meta({ id })` objects, and enums (values in upper case, each with its text in
 * `.meta({ values })`); arrays of objects. A value was parsed by the contract before it comes here.
 * @throws at build time for anything else, and for what has no description
 */
export function outputTypeOf(name: string, schema: z.ZodObject, description: string): ObjectType {
  return builder.objectRef<OutputObject>(name).implement({
    description,
    fields: (t) =>
      Object.fromEntries(
        fieldsOf(schema).map(([key, node]) => [key, outputField(t, key, node, `${name}.${key}`)]),
      ),
  });
}

function outputField(t: OutputBuilder, key: string, node: ZodNode, where: string) {
  const { schema, description, optional: nullable, graphql } = node;
  if (!description)
    throw new Error(`${where}: expected .meta({ description }), as the API shows it to people`);
  const common = { nullable, description };
  /** A nullable field's null passes too, which its type does not say: one branch for both. */
  const read = <T>(type: z.ZodType<T>) => {
    const parser = nullable ? z.custom<T>((value) => value == null || type.safeParse(value).success) : type;
    return (output: OutputObject): T => parser.parse(output[key]);
  };
  if (graphql === 'Money') return t.field({ ...common, type: Money, resolve: read(money) });
  if (graphql === 'Decimal') return t.field({ ...common, type: 'Decimal', resolve: read(decimal) });
  if (graphql === 'Date') return t.field({ ...common, type: 'Date', resolve: read(z.string()) });
  if (graphql === 'SafeInt') return t.field({ ...common, type: 'SafeInt', resolve: read(z.int()) });
  if (schema instanceof z.ZodArray)
    return listField(t, key, { ...node, description }, unwrap(schema.element), where);
  if (schema instanceof z.ZodObject)
    return t.field({ ...common, type: objectOf(node, where), resolve: read(anObject) });
  if (schema instanceof z.ZodEnum)
    return t.field({ ...common, type: enumOf(node, where), resolve: read(z.string()) });
  if (schema instanceof z.ZodNumber)
    return schema.format?.includes('int')
      ? t.int({ ...common, resolve: read(z.int()) })
      : t.float({ ...common, resolve: read(z.number()) });
  if (schema instanceof z.ZodString) return t.string({ ...common, resolve: read(z.string()) });
  if (schema instanceof z.ZodBoolean) return t.boolean({ ...common, resolve: read(z.boolean()) });
  throw new Error(`${where}: no GraphQL output stands for a zod ${schema.def.type}`);
}

function listField(
  t: OutputBuilder,
  key: string,
  { description, optional }: ZodNode & { readonly description: string },
  item: ZodNode,
  where: string,
) {
  if (optional) throw new Error(`${where}: a list that may be absent is an empty one`);
  if (item.graphql === 'Money') {
    const list = z.array(money);
    return t.field({ type: [Money], description, resolve: (output) => list.parse(output[key]) });
  }
  const list = z.array(anObject);
  return t.field({
    type: [objectOf(item, `${where}[]`)],
    description,
    resolve: (output) => list.parse(output[key]),
  });
}

/** Types that several outputs share, by their schema: `.meta({ id })` names them once. */
const objects = new Map<z.ZodType, ObjectType>();

function objectOf({ schema, id, description }: ZodNode, where: string): ObjectType {
  const known = objects.get(schema);
  if (known) return known;
  if (!(schema instanceof z.ZodObject) || !id || !description)
    throw new Error(`${where}: an object within an output needs .meta({ id, description })`);
  const type = outputTypeOf(id, schema, description);
  objects.set(schema, type);
  return type;
}

const makeEnum = (id: string, schema: z.ZodEnum, description: string) =>
  builder.enumType(id, { description, values: enumValuesOf(id, schema) });
const enums = new Map<z.ZodType, ReturnType<typeof makeEnum>>();

function enumOf({ schema, id, description }: ZodNode, where: string): ReturnType<typeof makeEnum> {
  const known = enums.get(schema);
  if (known) return known;
  if (!(schema instanceof z.ZodEnum) || !id || !description)
    throw new Error(`${where}: an enum within an output needs .meta({ id, description })`);
  const type = makeEnum(id, schema, description);
  enums.set(schema, type);
  return type;
}

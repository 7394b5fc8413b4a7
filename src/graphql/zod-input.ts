import type { InputRef } from '@pothos/core';
import { z } from 'zod';
import { builder } from './builder.ts';
import { fieldsOf, unionMembers, unwrap, type ZodNode } from './zod-node.ts';

type SchemaTypes = typeof builder.$inferSchemaTypes;
type InputBuilder = PothosSchemaTypes.InputFieldBuilder<SchemaTypes, 'InputObject'>;
type InputType = 'Date' | 'String' | 'Int' | 'Float' | 'Boolean' | 'ID' | InputRef<unknown>;

/** Types that several inputs share, by their schema: `.meta({ id })` names them once. */
const named = new Map<z.ZodType, InputRef<unknown>>();

/** Says which input type, written elsewhere, stands for a schema; before the schema is built. */
export function standsFor(schema: z.ZodType, type: InputRef<unknown>): void {
  named.set(schema, type);
}

/**
 * The GraphQL input type of an object schema. Closed: strings, numbers, booleans, uuids with `idOf`, and, with
 * `.meta({ id })`, enums (values in upper case, each with its text in `.meta({ values })`), objects and unions of single-key objects (@oneOf); arrays of these.
 * @throws at build time for anything else, and for what has no description
 */
export function inputTypeOf(name: string, schema: z.ZodObject, description: string): InputRef<unknown> {
  return builder.inputType(name, {
    description,
    fields: (t) =>
      Object.fromEntries(fieldsOf(schema).map(([key, node]) => [key, inputField(t, node, `${name}.${key}`)])),
  });
}

function inputField(t: InputBuilder, node: ZodNode, where: string) {
  const description = described(node, where);
  const required = !node.optional;
  const defaultValue = node.defaultValue === undefined ? {} : { defaultValue: node.defaultValue };
  if (node.schema instanceof z.ZodArray) {
    const type = typeOf(unwrap(node.schema.element), `${where}[]`);
    const list = t.listRef(type, { required: true });
    if (node.defaultValue === undefined) return t.field({ type: list, required, description });
    return t.field({
      type: list,
      required,
      description,
      defaultValue: z.array(z.unknown()).parse(node.defaultValue),
    });
  }
  return t.field({ type: typeOf(node, where), required, description, ...defaultValue });
}

function typeOf(node: ZodNode, where: string): InputType {
  const { schema } = node;
  if (node.idOf) return 'ID';
  if (node.graphql === 'Date') return 'Date';
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return 'String';
  if (schema instanceof z.ZodNumber) return schema.format?.includes('int') ? 'Int' : 'Float';
  if (schema instanceof z.ZodBoolean) return 'Boolean';
  const known = named.get(schema);
  if (known) return known;
  const type = namedType(node, where);
  named.set(schema, type);
  return type;
}

function namedType(node: ZodNode, where: string): InputRef<unknown> {
  const { schema, id } = node;
  if (!id)
    throw new Error(
      `${where}: no GraphQL input stands for this schema; an enum, object or union needs .meta({ id })`,
    );
  const description = described(node, where);
  if (schema instanceof z.ZodEnum) return enumType(id, schema, description);
  if (schema instanceof z.ZodObject) return inputTypeOf(id, schema, description);
  if (schema instanceof z.ZodUnion) return oneOfType(id, schema, description);
  throw new Error(`${where}: no GraphQL input stands for a zod ${schema.def.type}`);
}

/** What each value of an enum is, for people. */
const valueDescriptions = z.record(z.string(), z.string());

function enumType(id: string, schema: z.ZodEnum, description: string): InputRef<unknown> {
  return builder.enumType(id, { description, values: enumValuesOf(id, schema) });
}

/** An enum's values as GraphQL has them. @throws for one without a text in `.meta({ values })` */
export function enumValuesOf(id: string, schema: z.ZodEnum) {
  const said = valueDescriptions.parse(schema.meta()?.['values'] ?? {});
  return Object.fromEntries(
    schema.options.map((option) => {
      const value = String(option);
      const of = said[value];
      if (!of) throw new Error(`${id}: expected .meta({ values }) to say what "${value}" is`);
      return [value.toUpperCase(), { value, description: of }];
    }),
  );
}

function oneOfType(id: string, schema: z.ZodUnion, description: string): InputRef<unknown> {
  const members = unionMembers(schema, id).filter((member) => !member.internal);
  return builder.inputType(id, {
    description,
    isOneOf: true,
    fields: (t) =>
      Object.fromEntries(
        members.map(({ key, value }) => [key, inputField(t, { ...value, optional: true }, `${id}.${key}`)]),
      ),
  });
}

function described(node: ZodNode, where: string): string {
  if (node.description) return node.description;
  throw new Error(`${where}: expected .meta({ description }), as the API shows it to people`);
}

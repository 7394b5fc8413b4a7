import { z } from 'zod';
import { builder } from './builder.ts';
import { fieldsOf, type ZodNode } from './zod-node.ts';

type SchemaTypes = typeof builder.$inferSchemaTypes;
type OutputObject = Readonly<Record<string, unknown>>;
type OutputBuilder = PothosSchemaTypes.ObjectFieldBuilder<SchemaTypes, OutputObject>;

/**
 * The GraphQL object type of a contract's output. Closed: strings, numbers and booleans; a value
 * was parsed by the contract before it comes here.
 * @throws at build time for anything else, and for what has no description
 */
export function outputTypeOf(name: string, schema: z.ZodObject, description: string) {
  return builder.objectRef<OutputObject>(name).implement({
    description,
    fields: (t) =>
      Object.fromEntries(
        fieldsOf(schema).map(([key, node]) => [key, outputField(t, key, node, `${name}.${key}`)]),
      ),
  });
}

function outputField(t: OutputBuilder, key: string, node: ZodNode, where: string) {
  const { schema, description, optional } = node;
  if (!description)
    throw new Error(`${where}: expected .meta({ description }), as the API shows it to people`);
  const read =
    <T>(type: z.ZodType<T>) =>
    (output: OutputObject) =>
      type.parse(output[key]);
  const nullable = { nullable: true, description } as const;
  if (schema instanceof z.ZodNumber && schema.format?.includes('int')) {
    return optional
      ? t.int({ ...nullable, resolve: read(z.int().nullish()) })
      : t.int({ description, resolve: read(z.int()) });
  }
  if (schema instanceof z.ZodNumber) {
    return optional
      ? t.float({ ...nullable, resolve: read(z.number().nullish()) })
      : t.float({ description, resolve: read(z.number()) });
  }
  if (schema instanceof z.ZodString) {
    return optional
      ? t.string({ ...nullable, resolve: read(z.string().nullish()) })
      : t.string({ description, resolve: read(z.string()) });
  }
  if (schema instanceof z.ZodBoolean) {
    return optional
      ? t.boolean({ ...nullable, resolve: read(z.boolean().nullish()) })
      : t.boolean({ description, resolve: read(z.boolean()) });
  }
  throw new Error(`${where}: no GraphQL output stands for a zod ${schema.def.type}`);
}

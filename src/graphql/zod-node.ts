import { z } from 'zod';
import { ID_PREFIXES, type IdType } from '../domain/ids.ts';

/** What the `.meta()` of a contract's schema may say to GraphQL. */
const metaSchema = z.object({
  /** Name of the GraphQL type; needed on enums, nested objects and unions */
  id: z.string().optional(),
  description: z.string().optional(),
  /** The string is a uuid of ours: an ID for clients, `upl_…` for 'upload' */
  idOf: z.enum(Object.keys(ID_PREFIXES)).optional(),
  /** A uuid that only we write: shown as the id of this type, never accepted */
  shownAs: z.enum(Object.keys(ID_PREFIXES)).optional(),
  /** A union's member that clients do not see */
  internal: z.boolean().optional(),
  /** The type of the API that stands for it, where that does not follow from the schema */
  graphql: z.enum(['SafeInt', 'Decimal', 'Date', 'Money']).optional(),
});

/** A schema without its wrappers. */
export interface ZodNode {
  readonly schema: z.ZodType;
  readonly id: string | undefined;
  readonly description: string | undefined;
  readonly idOf: IdType | undefined;
  readonly shownAs: IdType | undefined;
  readonly internal: boolean;
  readonly graphql: z.infer<typeof metaSchema>['graphql'];
  /** May be left out or be null */
  readonly optional: boolean;
  /** Undefined where there is none */
  readonly defaultValue: unknown;
}

/** Takes `.optional()`, `.nullable()` and `.default()` off; the outermost description wins. */
export function unwrap(schema: unknown): ZodNode {
  const plain = plainSchema(schema);
  const meta = metaSchema.parse(plain.meta() ?? {});
  if (plain instanceof z.ZodOptional || plain instanceof z.ZodNullable) {
    const inner = unwrap(plain.unwrap());
    return { ...inner, description: meta.description ?? inner.description, optional: true };
  }
  if (plain instanceof z.ZodDefault) {
    const inner = unwrap(plain.unwrap());
    return {
      ...inner,
      description: meta.description ?? inner.description,
      defaultValue: plain.def.defaultValue,
    };
  }
  const original = namedOriginal(plain);
  return {
    schema: original ?? plain,
    id: original ? metaSchema.parse(original.meta()).id : undefined,
    description: meta.description,
    idOf: idTypeOf(meta.idOf),
    shownAs: idTypeOf(meta.shownAs),
    internal: meta.internal ?? false,
    graphql: meta.graphql,
    optional: false,
    defaultValue: undefined,
  };
}

/** The schema that bears the name: a description of its own makes a nameless copy of it. Null: nothing is named. */
function namedOriginal(schema: z.ZodType): z.ZodType | null {
  if (schema.meta()?.id !== undefined) return schema;
  const { parent } = schema._zod;
  return parent instanceof z.ZodType ? namedOriginal(parent) : null;
}

/** An object's fields, in order. */
export function fieldsOf({ shape }: z.ZodObject): [string, ZodNode][] {
  const entries: [string, unknown][] = Object.entries(shape);
  return entries.map(([key, schema]) => [key, unwrap(schema)]);
}

/** A union's members, each an object with a single key, by that key. @throws where it is anything else */
export function unionMembers(
  union: z.ZodUnion,
  where: string,
): { key: string; value: ZodNode; internal: boolean }[] {
  return union.options.map((option) => {
    const member = unwrap(option);
    if (!(member.schema instanceof z.ZodObject))
      throw new Error(`${where}: a union's members are objects with one key`);
    const [entry, ...more] = fieldsOf(member.schema);
    if (!entry || more.length > 0) throw new Error(`${where}: a union's members are objects with one key`);
    return { key: entry[0], value: entry[1], internal: member.internal };
  });
}

function plainSchema(schema: unknown): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  throw new Error('a contract is made of plain zod schemas only');
}

function idTypeOf(name: string | undefined): IdType | undefined {
  return ID_TYPES.find((type) => type === name);
}

const ID_TYPES: readonly IdType[] = z
  .array(z.custom<IdType>((type) => typeof type === 'string'))
  .parse(Object.keys(ID_PREFIXES));

/** `product_import` as a type's name: `ProductImport`. */
export function pascalCase(kind: string): string {
  return kind.replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { hostileNumber, hostileText, misfit } from './hostile.ts';
import type { Random } from './random.ts';

/** A request as it would be sent; `variables` is JSON, as values may be what JSON.stringify would not write. */
export interface Operation {
  readonly query: string;
  readonly variables: string;
}

export type Root = 'query' | 'mutation' | 'subscription';

const DEPTH_MAX = 5;
/** Fields that a document may have, so that most are taken. */
const FIELDS_MAX = 24;

/** Makes operations of a schema: of the right form mostly, with values that mean no good. */
export class OperationMaker {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  /** Ids that exist, of any type */
  readonly #ids: readonly string[];
  #variables: string[] = [];
  #values: string[] = [];
  #fragments: string[] = [];
  #fields = 0;
  /** The value that is made stands in the document: names and enum values without quotes */
  #isLiteral = false;

  constructor(schema: GraphQLSchema, random: Random, ids: readonly string[]) {
    this.#schema = schema;
    this.#random = random;
    this.#ids = ids;
  }

  make(root: Root): Operation {
    [this.#variables, this.#values, this.#fragments, this.#fields] = [[], [], [], 0];
    const type = rootOf(this.#schema, root);
    if (!type) throw new Error(`the schema has no ${root}`);
    const body = this.#selection(type, root === 'subscription' ? 1 : 2, 1);
    const declared = this.#variables.length > 0 ? `(${this.#variables.join(', ')})` : '';
    return {
      query: [`${root} Fuzz${declared} ${body}`, ...this.#fragments].join('\n'),
      variables: `{${this.#values.join(',')}}`,
    };
  }

  #selection(type: GraphQLNamedType, fieldsMax: number, depth: number): string {
    const random = this.#random;
    const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const shallow = fields.filter((field) => isLeafType(getNamedType(field.type)));
    const possible = depth > DEPTH_MAX || this.#fields > FIELDS_MAX ? shallow : fields;
    const parts = random.some(possible, fieldsMax).map((field) => this.#field(field, depth));
    if (parts.length === 0 || random.chance(0.1)) parts.push('__typename');
    if (isAbstractType(type) && depth <= DEPTH_MAX) parts.push(this.#ofMember(type.name, depth));
    const selection = `{ ${parts.join(' ')} }`;
    if (depth === 1 || !random.chance(0.08)) return selection;
    const name = `F${this.#fragments.length}`;
    this.#fragments.push(`fragment ${name} on ${type.name} ${selection}`);
    return `{ ...${name} ${random.chance(0.3) ? `... @include(if: true) ${selection}` : ''} }`;
  }

  #ofMember(name: string, depth: number): string {
    const type = this.#schema.getType(name);
    if (!type || !isAbstractType(type)) return '__typename';
    const member = this.#random.pick(this.#schema.getPossibleTypes(type));
    return `... on ${member.name} ${this.#selection(member, 4, depth + 1)}`;
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const random = this.#random;
    this.#fields += 1;
    const args = field.args
      .filter((arg) => (isNonNullType(arg.type) ? !random.chance(0.02) : random.chance(0.4)))
      .map((arg) => `${arg.name}: ${this.#argument(arg.type, arg.name)}`);
    const alias = random.chance(0.1) ? `a${random.int(1_000)}: ` : '';
    const given = args.length > 0 ? `(${args.join(', ')})` : '';
    const named = getNamedType(field.type);
    const inner = isLeafType(named) ? '' : ` ${this.#selection(named, 4, depth + 1)}`;
    return `${alias}${field.name}${given}${this.#directive()}${inner}`;
  }

  #directive(): string {
    const random = this.#random;
    if (!random.chance(0.06)) return '';
    return ` ${random.pick(['@include(if: true)', '@skip(if: false)', '@skip(if: true)', '@defer', '@stream', '@nothing', '@include(if: "x")', '@deprecated'])}`;
  }

  #argument(type: GraphQLInputType, name: string): string {
    this.#isLiteral = this.#random.chance(0.3);
    const value = this.#value(type, name, 0);
    if (this.#isLiteral) return value;
    const variable = `v${this.#values.length}`;
    this.#variables.push(`$${variable}: ${String(type)}`);
    this.#values.push(`"${variable}":${value}`);
    return `$${variable}`;
  }

  /** JSON for a place of an input type; now and then JSON that does not belong there. */
  #value(type: GraphQLInputType, name: string, depth: number): string {
    const random = this.#random;
    if (random.chance(0.04)) return misfit(random);
    if (isNonNullType(type)) return this.#value(type.ofType, name, depth);
    if (random.chance(0.05)) return 'null';
    if (isListType(type)) {
      const length = random.chance(0.03) ? 500 : random.int(3);
      return `[${Array.from({ length }, () => this.#value(type.ofType, name, depth + 1)).join(',')}]`;
    }
    if (isEnumType(type)) {
      const known = random.chance(0.95);
      const value = known ? random.pick(type.getValues()).name : hostileText(random);
      return known && this.#isLiteral ? value : JSON.stringify(value);
    }
    if (isInputObjectType(type)) return this.#object(type.name, depth);
    return this.#scalar(type.name, name);
  }

  #object(typeName: string, depth: number): string {
    const type = this.#schema.getType(typeName);
    if (!type || !isInputObjectType(type)) return 'null';
    const random = this.#random;
    const fields = Object.values(type.getFields());
    const chosen = type.isOneOf
      ? [random.pick(fields)]
      : fields.filter((field) => isNonNullType(field.type) || random.chance(depth > 3 ? 0 : 0.4));
    const parts = chosen.map(
      (field) => `${this.#key(field.name)}:${this.#value(field.type, field.name, depth + 1)}`,
    );
    if (random.chance(0.03))
      parts.push(`${this.#key(random.pick(['__proto__', 'nothing', 'constructor']))}:{}`);
    return `{${parts.join(',')}}`;
  }

  #key(name: string): string {
    return this.#isLiteral ? name : JSON.stringify(name);
  }

  #scalar(typeName: string, name: string): string {
    const random = this.#random;
    const text = (): string => JSON.stringify(hostileText(random));
    switch (typeName) {
      case 'ID':
        return JSON.stringify(random.chance(0.7) ? random.pick(this.#ids) : hostileText(random));
      case 'Int':
        return random.chance(0.5)
          ? String(1 + random.int(name === 'first' ? 20 : 100))
          : hostileNumber(random);
      case 'Float':
      case 'SafeInt':
        return hostileNumber(random);
      case 'Boolean':
        return random.pick(['true', 'false']);
      case 'DateTime':
        return random.chance(0.4) ? '"2027-01-01T00:00:00Z"' : text();
      case 'Date':
        return random.chance(0.4) ? `"2026-0${1 + random.int(9)}-15"` : text();
      default:
        return random.chance(0.4) ? JSON.stringify(`text ${random.int(1_000)}`) : text();
    }
  }
}

function rootOf(schema: GraphQLSchema, root: Root): GraphQLNamedType | null | undefined {
  if (root === 'query') return schema.getQueryType();
  return root === 'mutation' ? schema.getMutationType() : schema.getSubscriptionType();
}

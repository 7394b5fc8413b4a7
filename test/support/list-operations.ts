import {
  getNamedType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isEnumType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

type Field = GraphQLField<unknown, unknown>;

const isLeaf = (type: GraphQLOutputType): boolean => {
  const named = getNamedType(type);
  return isScalarType(named) || isEnumType(named);
};
const fieldsOf = (type: GraphQLOutputType): Field[] => {
  const named = getNamedType(type);
  return isObjectType(named) || isInterfaceType(named) ? Object.values(named.getFields()) : [];
};
/** A list by its pages; what is called `Connection` is an account at a provider. */
const isConnection = (type: GraphQLOutputType): boolean => /.Connection$/.test(getNamedType(type).name);
const isMany = (type: GraphQLOutputType): boolean =>
  isNonNullType(type) ? isMany(type.ofType) : isListType(type) || isConnection(type);

/** What a list is a list of. */
const itemsOf = (type: GraphQLOutputType): GraphQLOutputType => {
  if (!isConnection(type)) return type;
  const edges = fieldsOf(type).find(({ name }) => name === 'edges');
  const node = edges && fieldsOf(edges.type).find(({ name }) => name === 'node');
  if (!node) throw new Error(`${String(type)} has no nodes`);
  return node.type;
};

/** Around a selection of items. */
const around = (type: GraphQLOutputType, items: string): string =>
  isConnection(type)
    ? `{ totalCount pageInfo { endCursor hasNextPage } edges { cursor node { ${items} } } }`
    : `{ ${items} }`;

function leavesOf(type: GraphQLOutputType): string[] {
  const leaves = fieldsOf(type).filter((field) => isLeaf(field.type));
  return ['__typename', ...leaves.map(({ name }) => name)];
}

/** One field with all that is in it, to a depth; lists in it are of two. */
function whole(field: Field, depth: number): string {
  const args = field.args.some(({ name }) => name === 'first') ? '(first: 2)' : '';
  if (isLeaf(field.type)) return `${field.name}${args}`;
  const items = itemsOf(field.type);
  const inner = depth > 0 ? fieldsOf(items).filter((each) => !isLeaf(each.type)) : [];
  const selections = [...leavesOf(items), ...inner.map((each) => whole(each, depth - 1))];
  return `${field.name}${args} ${around(field.type, selections.join(' '))}`;
}

export interface ListOperation {
  /** "jobs" and "jobs.children" */
  readonly name: string;
  readonly text: string;
}

const DEPTH = 1;
/** What each list by pages has; all else beside them is its own. */
const OF_EVERY_PAGE: readonly string[] = ['edges', 'pageInfo', 'totalCount'];

/**
 * For a field of Query: one operation with the columns of its items, and one for each field of them that is more than a
 * column, with all that is in that; and one for each such field beside the items.
 */
export function listOperationsOf(root: Field, args: string): ListOperation[] {
  const given = root.args.some(({ name }) => name === 'first') ? `first: 100 ${args}` : args;
  const head = given === '' ? root.name : `${root.name}(${given})`;
  const items = itemsOf(root.type);
  const operation = (name: string, selection: string): ListOperation => ({
    name,
    text: `{ it: ${head} ${around(root.type, selection)} }`,
  });
  const more = fieldsOf(items).filter((field) => !isLeaf(field.type));
  const beside = isConnection(root.type)
    ? fieldsOf(root.type).filter((field) => !isLeaf(field.type) && !OF_EVERY_PAGE.includes(field.name))
    : [];
  return [
    operation(root.name, leavesOf(items).join(' ')),
    ...beside.map((field) => ({
      name: `${root.name}: ${field.name}`,
      text: `{ it: ${head} { __typename ${whole(field, DEPTH)} } }`,
    })),
    ...more.map((field) => operation(`${root.name}.${field.name}`, `__typename ${whole(field, DEPTH)}`)),
  ];
}

/** Every list of objects that a query can reach, as "Job.children". */
export function listFieldsOf(schema: GraphQLSchema): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (type: GraphQLObjectType): void => {
    if (seen.has(type.name)) return;
    seen.add(type.name);
    for (const field of Object.values(type.getFields())) {
      if (isMany(field.type) && !isLeaf(field.type) && field.name !== 'edges')
        found.add(`${type.name}.${field.name}`);
      const named = getNamedType(field.type);
      const next = isObjectType(named)
        ? [named]
        : isInterfaceType(named)
          ? schema.getPossibleTypes(named)
          : [];
      next.forEach(visit);
    }
  };
  const query = schema.getQueryType();
  if (query) visit(query);
  return found;
}

/** The lists of an answer that hold something; every object of it says its `__typename`. */
export function filledLists(value: unknown, into: Set<string>, parent = 'Query'): void {
  if (Array.isArray(value)) {
    for (const item of value) filledLists(item, into, parent);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const typeName = '__typename' in value ? String(value.__typename) : parent;
  for (const [name, inner] of Object.entries(value)) {
    const list: unknown = isPage(inner) ? inner.edges : inner;
    if (Array.isArray(list) && list.length > 0) into.add(`${typeName}.${name}`);
    filledLists(isPage(inner) ? inner.edges.map(({ node }) => node) : inner, into, typeName);
  }
}

function isPage(value: unknown): value is { readonly edges: readonly { readonly node: unknown }[] } {
  return typeof value === 'object' && value !== null && 'edges' in value && Array.isArray(value.edges);
}

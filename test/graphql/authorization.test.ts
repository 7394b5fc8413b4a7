import {
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  parse,
  type GraphQLInputType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantedTo, PERMISSION_NAMES, PERMISSIONS, type Permission } from '../../src/auth/permission.ts';
import { ROLES } from '../../src/domain/role.ts';
import { requirementsOf } from '../../src/graphql/authorization/requirements.ts';
import { fieldsOf, needs, ruleOf, withRules } from '../../src/graphql/authorization/rules.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApi, type TestApi } from '../support/api.ts';

const ROOTS = { Query: 'query', Mutation: 'mutation', Subscription: 'subscription' } as const;
const isRoot = (name: string): name is keyof typeof ROOTS => Object.hasOwn(ROOTS, name);
const fields = fieldsOf(schema).map(({ parent, field }) => ({
  name: `${parent.name}.${field.name}`,
  parent,
  field,
  rule: ruleOf(parent, field),
}));

/** A value that the type takes. */
function sample(type: GraphQLInputType): string {
  if (isNonNullType(type)) return sample(type.ofType);
  if (isListType(type)) return `[${sample(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
  if (isInputObjectType(type)) {
    const all = Object.values(type.getFields());
    const wanted = type.isOneOf ? all.slice(0, 1) : all.filter((each) => isNonNullType(each.type));
    return `{ ${wanted.map((each) => `${each.name}: ${sample(each.type)}`).join(', ')} }`;
  }
  const samples: Record<string, string> = { Int: '1', Float: '1', Boolean: 'true', SafeInt: '1' };
  return samples[type.name] ?? '"2026-01-01T00:00:00Z"';
}

function operation(parent: string, { field }: (typeof fields)[number]): string {
  if (!isRoot(parent)) throw new Error(parent);
  const args = field.args
    .filter(({ type }) => isNonNullType(type))
    .map(({ name, type }) => `${name}: ${sample(type)}`);
  const named = isNonNullType(field.type) ? field.type.ofType : field.type;
  const selection = isLeafType(named) ? '' : ' { __typename }';
  return `${ROOTS[parent]} { ${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}${selection} }`;
}

describe('every field of the schema', () => {
  it('has a rule', () => {
    const without = fields.filter(({ rule }) => rule === null);
    process.stdout.write(`rules: ${fields.length - without.length} of ${fields.length} fields\n`);
    expect(without.map(({ name }) => name)).toEqual([]);
    expect(fields.length).toBeGreaterThan(300);
  });

  it('must have one: a schema with a root field that says nothing is not built', () => {
    const type = { type: GraphQLString, extensions: needs('read') };
    const mutation = {
      start: { ...type, extensions: needs('run_jobs') },
      forgotten: { type: GraphQLString },
    };
    const built = new GraphQLSchema({
      query: new GraphQLObjectType({ name: 'Query', fields: { ok: type } }),
      mutation: new GraphQLObjectType({ name: 'Mutation', fields: mutation }),
    });
    expect(() => withRules(built)).toThrow('Mutation.forgotten');
  });

  it('that changes something needs more than to read, but for what is the caller’s own', () => {
    const own = ['markNotificationsRead', 'updateNotificationPreferences'];
    const readable = fields.filter(({ parent, rule }) => parent.name === 'Mutation' && rule === 'read');
    expect(readable.map(({ field }) => field.name).toSorted()).toEqual(own);
  });
});

describe('permissions', () => {
  it('of a role hold those of the roles before it', () => {
    const [viewer, member, admin] = ROLES.map((role) => [...grantedTo(role, [])]);
    expect(viewer).toEqual(['read']);
    expect(member).toEqual(expect.arrayContaining(viewer ?? []));
    expect(admin).toEqual([...PERMISSION_NAMES]);
  });

  it('that were asked for are never more than the role’s, and always include reading', () => {
    expect([...grantedTo('member', ['manage_queues', 'run_jobs'])]).toEqual(['read', 'run_jobs']);
    expect([...grantedTo('admin', ['read'])]).toEqual(['read']);
  });
});

describe('an operation needs what its fields need', () => {
  const needed = (text: string, name: string | null = null): Permission[] => [
    ...requirementsOf(schema, parse(text), name).keys(),
  ];

  it('through fragments and inside of types, also what it skips', () => {
    expect(needed('{ node(id: "x") { ...E } } fragment E on WebhookEndpoint { url }')).toEqual([
      'read',
      'manage_webhooks',
    ]);
    expect(needed('mutation { cancelJob(id: "x") @skip(if: true) { __typename } }')).toEqual(['run_jobs']);
  });

  it('and nothing of the other operations in its document', () => {
    const both =
      'query A { __typename jobs { totalCount } } mutation B { pauseQueue(name: "x") { __typename } }';
    expect(needed(both, 'A')).toEqual(['read']);
    expect(needed(both, 'B')).toEqual(['manage_queues']);
    expect(needed('{ __typename __schema { types { name } } }')).toEqual([]);
  });
});

describe('a caller', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it.each(fields.filter(({ parent }) => isRoot(parent.name)).map((each) => [each.name, each] as const))(
    'without the permission does not use %s',
    async (_name, each) => {
      if (each.rule === null) throw new Error('no rule');
      const text = operation(each.parent.name, each);
      const refused = ROLES.filter((role) => !grantedTo(role, []).has(each.rule ?? 'read'));
      for (const role of refused) {
        const { data, errors } = await api.ask(text, {}, role);
        expect(data).toBeNull();
        expect(errors).toMatchObject([
          {
            extensions: { code: 'FORBIDDEN', needs: each.rule.toUpperCase() },
            message: expect.stringContaining(each.name),
          },
        ]);
      }
      const anonymous = await api.ask(text, {}, null);
      expect(anonymous.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
      expect(refused.length).toBe(ROLES.indexOf(PERMISSIONS[each.rule].role));
    },
  );
});

import { GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantedTo, PERMISSION_NAMES, PERMISSIONS, type Permission } from '../../src/auth/permission.ts';
import { ROLES } from '../../src/domain/role.ts';
import { requirementsOf } from '../../src/graphql/authorization/requirements.ts';
import { fieldsOf, needs, ruleOf, withRules } from '../../src/graphql/authorization/rules.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { operationOf, rootFieldsOf } from '../support/schema-operations.ts';

const fields = fieldsOf(schema).map(({ parent, field }) => ({
  name: `${parent.name}.${field.name}`,
  parent,
  field,
  rule: ruleOf(parent, field),
}));
const ruleNamed = new Map(fields.map(({ name, rule }) => [name, rule]));

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

  it.each(rootFieldsOf(schema).map((each) => [each.name, each] as const))(
    'without the permission does not use %s',
    async (name, each) => {
      const rule = ruleNamed.get(name);
      if (!rule) throw new Error('no rule');
      const text = operationOf(each);
      const refused = ROLES.filter((role) => !grantedTo(role, []).has(rule));
      for (const role of refused) {
        const { data, errors } = await api.ask(text, {}, role);
        expect(data).toBeNull();
        expect(errors).toMatchObject([
          {
            extensions: { code: 'FORBIDDEN', needs: rule.toUpperCase() },
            message: expect.stringContaining(name),
          },
        ]);
      }
      const anonymous = await api.ask(text, {}, null);
      expect(anonymous.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
      expect(refused.length).toBe(ROLES.indexOf(PERMISSIONS[rule].role));
    },
  );
});

import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

describe('with INTROSPECTION=false the schema is told to nobody', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi({ environment: { INTROSPECTION: 'false' } });
  });
  afterAll(() => api.close());

  test.each([getIntrospectionQuery(), '{ __type(name: "Job") { name } }', '{ a: __schema { description } }'])(
    'not by introspection',
    async (query) => {
      const { data, errors } = await api.ask(query, {}, 'admin');
      expect(data).toBeNull();
      expect(errors).toContainEqual(
        expect.objectContaining({
          message: 'This server does not tell its schema: INTROSPECTION is off.',
          extensions: { code: 'FORBIDDEN' },
        }),
      );
    },
  );

  test.each([
    ['a field', '{ job }', 'Cannot query field "job_" on type "Query".'],
    ['an argument', '{ jobs(frist: 1) { totalCount } }', 'Unknown argument "frist" on field "Query.jobs".'],
    [
      'a value',
      '{ jobs(filter: { statuses: [PENDIN] }) { totalCount } }',
      'Value "PENDIN" does not exist in "JobStatus" enum.',
    ],
  ])('nor by the text of an error about %s', async (_what, query, message) => {
    const { errors } = await api.ask(query.replace('{ job }', '{ job_ }'));
    expect(errors.map((error) => error.message)).toEqual([message]);
  });

  test('a variable of the wrong type is told without the values that it may have', async () => {
    const query = 'query ($s: [JobStatus!]) { jobs(filter: { statuses: $s }) { totalCount } }';
    const { errors } = await api.ask(query, { s: ['PENDIN'] });
    expect(errors[0]?.message).toBe(
      'Variable "$s" got invalid value "PENDIN" at "s[0]"; Value "PENDIN" does not exist in "JobStatus" enum.',
    );
  });

  test('__typename is no secret', async () => {
    expect((await api.ask('{ __typename }')).data).toEqual({ __typename: 'Query' });
  });
});

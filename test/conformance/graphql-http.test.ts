import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

/** The server audits of graphql-http, by its own runner: https://github.com/graphql/graphql-http#audits */
describe('GraphQL over HTTP', () => {
  let api: TestApi;
  let url = '';
  const passed = new Set<string>();
  const audits = serverAudits({
    url: () => url,
    fetchFn: (target: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${api.tokens.member}`);
      return fetch(target, { ...init, headers });
    },
  });
  beforeAll(async () => {
    api = await startApi();
    url = api.graphqlUrl;
  });
  afterAll(async () => {
    process.stdout.write(`graphql-http audits: ${passed.size} of ${audits.length} passed\n`);
    await api.close();
  });

  it('has all its audits', () => {
    expect(audits.length).toBe(61);
  });

  it.each(audits.map((audit) => [audit.id, audit.name, audit] as const))(
    '%s %s',
    async (id, _name, audit) => {
      const result = await audit.fn();
      expect({ status: result.status, reason: 'reason' in result ? result.reason : undefined }).toEqual({
        status: 'ok',
        reason: undefined,
      });
      passed.add(id);
    },
  );
});

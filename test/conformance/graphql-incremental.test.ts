import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { panelRegistry } from '../../src/panels/index.ts';
import { never, trafficLoad, trafficPanel } from '../panels/support.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { Gate } from '../support/gate.ts';
import { collect, merge, payloadsOf, TRANSPORTS, type Payload } from '../support/incremental.ts';
import { seedJobs } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';

/** `@defer` and `@stream` in the format of 2022-08-24, over each transport that carries them. */

let api: TestApi;
/** The traffic panel waits here. */
let gate = new Gate();
let waiting = 0;
beforeAll(async () => {
  const traffic = trafficPanel(async () => {
    waiting += 1;
    await gate.opened;
    return trafficLoad;
  });
  const support = {
    ...panelRegistry.support,
    load: () => Promise.reject(new Error('secret: password of the help desk')),
  };
  const email = { ...panelRegistry.email, deadlineMs: 30, load: never };
  api = await startApi({ panels: { traffic, support, email } });
  await seedJobs(api.database.db, api.organization.id, {
    count: 30,
    status: 'completed',
    kind: 'product_import',
  });
});
beforeEach(() => {
  gate = new Gate();
  waiting = 0;
});
afterAll(() => api.close());

const partsOf = (payloads: readonly Payload[]) => payloads.flatMap(({ incremental }) => incremental ?? []);
/** The same without the directives. */
const atOnce = (query: string): string => query.replaceAll(/@(?:defer|stream)(?:\([^)]*\))?/g, '');

describe.each(TRANSPORTS)('over %s', (transport) => {
  const ask = (query: string, variables: object = {}) => payloadsOf(api, transport, { query, variables });

  it('a slow panel does not hold the others, a failing one is data, and labels tell which is which', async () => {
    const payloads = ask(`{ dashboard {
      from
      ... @defer(label: "slow") { traffic { state sessions } }
      ... @defer(label: "failing") { support { state failure { code message } } }
      ... @defer(label: "late") { email { state failure { code } } }
      ... @defer(label: "quick") { revenue { state } }
    } }`);
    const before: Payload[] = [];
    while (partsOf(before).length < 3) {
      const { value } = await payloads.next();
      if (value) before.push(value);
    }
    expect(before[0]).toMatchObject({ data: { dashboard: { from: expect.any(String) } }, hasNext: true });
    expect(Object.keys((before[0]?.data as { dashboard: object }).dashboard)).toEqual(['from']);
    expect(partsOf(before).map(({ label }) => label)).toEqual(
      expect.arrayContaining(['failing', 'late', 'quick']),
    );
    gate.open();
    const all = [...before, ...(await collect(payloads))];
    expect(partsOf(all).at(-1)).toMatchObject({ label: 'slow', path: ['dashboard'] });
    expect(merge(all)).toMatchObject({
      errors: [],
      data: {
        dashboard: {
          traffic: { state: 'READY', sessions: 12 },
          support: { state: 'FAILED', failure: { code: expect.any(String) } },
          email: { state: 'FAILED' },
        },
      },
    });
    expect(JSON.stringify(all)).not.toContain('secret');
  });

  it('a list comes its first items at once and the others behind, in order', async () => {
    const query =
      '{ jobs(first: 30) { totalCount edges @stream(initialCount: 5, label: "more") { node { id status } } } }';
    const payloads = await collect(ask(query));
    const first = payloads[0]?.data as { jobs: { edges: unknown[] } };
    expect(first.jobs.edges).toHaveLength(5);
    expect(partsOf(payloads).every(({ label }) => label === 'more')).toBe(true);
    const { data } = await api.ask(atOnce(query));
    expect(merge(payloads)).toEqual({ data, errors: [] });
  });

  it.each([
    ['@defer(if: false)', '{ viewer { role ... @defer(if: false) { organization { name } } } }'],
    [
      '@stream(if: false)',
      '{ jobs(first: 9) { edges @stream(initialCount: 1, if: false) { node { id } } } }',
    ],
  ])('%s is as if it were not there: one payload', async (_name, query) => {
    const payloads = await collect(ask(query));
    expect(payloads).toHaveLength(1);
    const { data } = await api.ask(atOnce(query));
    expect(payloads[0]?.data).toEqual(data);
  });

  it('a fragment that is deferred by a variable, and a named one, are merged to the same', async () => {
    const query = `query ($later: Boolean!) { viewer { role ...Org @defer(if: $later, label: "org") } }
      fragment Org on Viewer { organization { name currency } }`;
    const later = await collect(ask(query, { later: true }));
    const now = await collect(ask(query, { later: false }));
    expect([later.length > 1, now.length]).toEqual([true, 1]);
    expect(merge(later).data).toEqual(now[0]?.data);
  });

  it('an error in a deferred part is that part’s, masked, with the id of the request', async () => {
    await api.database.db.query('ALTER TABLE products RENAME TO products_gone');
    const payloads = await collect(
      ask('{ viewer { role } ... @defer(label: "bad") { products { totalCount } } }'),
    ).finally(() => api.database.db.query('ALTER TABLE products_gone RENAME TO products'));
    expect(payloads[0]).toMatchObject({ data: { viewer: { role: 'MEMBER' } } });
    const [error] = partsOf(payloads).flatMap(({ errors }) => errors ?? []);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Something went wrong on our side\. Request [0-9a-f-]{36}\.$/),
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
    expect(error?.extensions).not.toHaveProperty('unexpected');
    expect(JSON.stringify(payloads)).not.toMatch(/products_gone|relation|prisma|SELECT/i);
  });

  it('what a caller may not have is refused, deferred or not', async () => {
    const query = '{ viewer { role } ... @defer { apiKeys { edges { node { id } } } } }';
    const payloads = await collect(payloadsOf(api, transport, { query }, api.tokens.viewer));
    expect(payloads).toHaveLength(1);
    expect(payloads[0]).toMatchObject({ data: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it(
    'random deferred selections are merged to the answer without the directives',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(selection, async (fields) => {
          const query = `{ ${fields} }`;
          const [payloads, { data, errors }] = [await collect(ask(query)), await api.ask(atOnce(query))];
          expect(errors).toEqual([]);
          expect(merge(payloads)).toEqual({ data, errors: [] });
        }),
        { numRuns: 25 },
      );
    },
  );
});

/** Leaves of the schema that ask nothing slow, and fragments around them that are deferred or not. */
const selection = (() => {
  const wrap = (fields: string) =>
    fc
      .constantFrom('', '@defer', '@defer(if: false)')
      .map((how) => (how ? `... ${how} { ${fields} }` : fields));
  const some = (leaves: string[]) =>
    fc
      .subarray(leaves, { minLength: 1 })
      .chain((chosen) => fc.tuple(...chosen.map(wrap)))
      .map((parts) => parts.join(' '));
  const viewer = some(['role', 'organization { name currency }', 'user { email }']);
  const job = some(['id', 'kind', 'status', 'createdAt', 'attempt']);
  const stream = fc.constantFrom('', '@stream(initialCount: 0)', '@stream(initialCount: 2)');
  const jobs = fc
    .tuple(job, stream, some(['totalCount', 'pageInfo { hasNextPage endCursor }']))
    .map(([node, how, beside]) => `${beside} edges ${how} { cursor node { ${node} } }`);
  return fc
    .tuple(viewer, jobs)
    .chain(([of, list]) =>
      fc.tuple(wrap(`viewer { ${of} }`), wrap(`jobs(first: 4) { ${list} }`)).map((parts) => parts.join(' ')),
    );
})();

describe.each(['multipart/mixed', 'Server-Sent Events'] as const)('a reader of %s', (transport) => {
  it('who goes away in the middle leaves nothing that hinders the next', async () => {
    const gone = new AbortController();
    const payloads = payloadsOf(api, transport, {
      query: '{ viewer { role } ... @defer { dashboard { traffic { sessions } } } }',
      signal: gone.signal,
    });
    expect((await payloads.next()).value).toMatchObject({ data: { viewer: { role: 'MEMBER' } } });
    await waitFor(() => waiting === 1);
    gone.abort();
    await expect(payloads.next()).rejects.toThrow(/abort/i);
    gate.open();
    expect((await api.ask('{ viewer { role } }')).status).toBe(200);
  });
});

it('without an Accept that takes parts, an answer in parts is refused with 406 and a text', async () => {
  const response = await fetch(api.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${api.tokens.member}`,
    },
    body: JSON.stringify({ query: '{ viewer { ... @defer { role } } }' }),
  });
  expect(response.status).toBe(406);
  expect(await response.json()).toMatchObject({
    errors: [{ message: expect.stringContaining('multipart/mixed'), extensions: { code: 'NOT_ACCEPTABLE' } }],
  });
});

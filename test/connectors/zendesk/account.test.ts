import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zendesk } from '../../../src/connectors/zendesk.ts';
import { zendeskBench, type ZendeskBench } from '../../support/providers/zendesk-connection.ts';

let bench: ZendeskBench;

beforeEach(async () => {
  bench = await zendeskBench();
});

afterEach(async () => {
  await bench.mock.close();
  expect(bench.mock.problems).toEqual([]);
});

describe('a connection to Zendesk', () => {
  const check = () => bench.open().check(new AbortController().signal);

  it('is known by its subdomain, and counts days as the account does', async () => {
    await expect(check()).resolves.toEqual({
      id: 'acme',
      label: 'acme.zendesk.com',
      timeZone: 'America/New_York',
      currency: null,
      missingScopes: [],
    });
  });

  it('counts days as its person does where the account does not tell, and not at all where nobody does', async () => {
    bench.mock.settings.timeZone = null;
    await expect(check()).resolves.toMatchObject({ timeZone: 'Europe/Copenhagen' });
    const me = { user: { id: 1, name: 'A', role: 'admin', iana_time_zone: 'Nowhere/Land' } };
    bench.mock.next({ json: me });
    await expect(check()).resolves.toMatchObject({ timeZone: null });
  });

  it.each(['agent', 'end-user'])('by %s lacks the role that may export', async (role) => {
    bench.mock.settings.role = role;
    await expect(check()).resolves.toMatchObject({ missingScopes: ['admin'] });
    const { error } = await bench.drain();
    expect(error).toMatchObject({
      kind: 'forbidden_scope',
      scope: 'admin',
      message: 'Zendesk asks for the role “admin”: Forbidden: You do not have access to this page.',
    });
  });

  it('without the scope is told which one it lacks', async () => {
    bench.mock.settings.scope = 'tickets:write';
    expect((await bench.drain()).error).toMatchObject({ kind: 'forbidden_scope', scope: 'read' });
  });

  it('is over when Zendesk takes us for a visitor, though it answers 200', async () => {
    const visitor = { json: { user: { id: null, name: 'Anonymous user' } } };
    const connection = bench.open();
    bench.mock.next(visitor);
    await expect(connection.check(new AbortController().signal)).resolves.toMatchObject({ id: 'acme' });
    expect(bench.mock.tokenRequests()).toBe(1);
    bench.mock.next(visitor, visitor);
    await expect(connection.check(new AbortController().signal)).rejects.toMatchObject({
      kind: 'auth_expired',
    });
  });

  it('to an account that is not there says so', async () => {
    bench.mock.next({ status: 404, text: '<html>No help desk at acme.zendesk.com</html>' });
    await expect(check()).rejects.toMatchObject({
      kind: 'bad_request',
      message: 'Zendesk has nothing there; the subdomain may be wrong.',
    });
  });

  it('follows nobody who sends it elsewhere', async () => {
    bench.mock.next({ status: 302, headers: { location: 'https://example.com/' } });
    await expect(check()).rejects.toMatchObject({
      kind: 'bad_request',
      message: 'Zendesk sent us elsewhere.',
    });
  });

  it.each(['acme', 'ACME', ' a-1 '])('may have the subdomain “%s”', (subdomain) => {
    expect(zendesk.config.safeParse({ subdomain }).success).toBe(true);
  });

  it.each(['', 'a.b', '-a', 'a-', 'a/b', 'a@b', 'https://acme.zendesk.com', 'x'.repeat(64)])(
    'may not have the subdomain “%s”',
    (subdomain) => {
      expect(zendesk.config.safeParse({ subdomain }).success).toBe(false);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { meta } from '../../src/connectors/meta.ts';
import { ACCOUNT, openMeta, wordsOf } from '../support/providers/meta-connection.ts';
import { APP_SECRET, metaError, PAGE_TOKEN, TOKEN } from '../support/providers/meta.ts';

const signal = new AbortController().signal;

describe('a connection to Meta', () => {
  it.each([
    ['an ad account', { adAccountId: '1001' }, true],
    ['a Page and an Instagram account', { pageId: '2002', instagramId: '3003' }, true],
    ['nothing', {}, false],
    ['an id with its prefix', { adAccountId: 'act_1001' }, false],
    ['an address', { pageId: '2002/../me' }, false],
    ['something else', { adAccountId: '1001', url: 'http://localhost' }, false],
  ])('configured with %s: %s is %s', (_, config, isGood) => {
    expect(meta.config.safeParse(config).success).toBe(isGood);
  });

  it.each([
    ['a token', { accessToken: TOKEN }, true],
    ['a token and a secret', { accessToken: TOKEN, appSecret: APP_SECRET }, true],
    ['a token of two lines', { accessToken: 'one\ntwo' }, false],
    ['a secret alone', { appSecret: APP_SECRET }, false],
  ])('opened with %s: %s is %s', (_, credentials, isGood) => {
    expect(meta.credentials.safeParse(credentials).success).toBe(isGood);
  });

  it('is checked by asking whose accounts they are and what the token may', async () => {
    await using mock = await openMeta();
    expect(await mock.connection.check(signal)).toEqual(ACCOUNT);
  });

  it('lists the permissions that are missing for what is configured', async () => {
    const tokens = new Map([[TOKEN, ['instagram_basic']]]);
    const config = { pageId: '2002', instagramId: '3003' };
    await using mock = await openMeta({ state: { tokens }, config });
    expect(await mock.connection.check(signal)).toEqual({
      id: '2002',
      label: 'Acme Shop, @acme.shop',
      timeZone: 'America/Los_Angeles',
      currency: null,
      missingScopes: [
        'read_insights',
        'pages_read_engagement',
        'pages_show_list',
        'instagram_manage_insights',
      ],
    });
  });

  it('works with a token that has no list of permissions', async () => {
    await using mock = await openMeta({
      config: { pageId: '2002' },
      credentials: { accessToken: PAGE_TOKEN, appSecret: APP_SECRET },
    });
    mock.server.next(
      { json: { id: '2002', name: 'Acme Shop' } },
      metaError(100, 'Tried accessing nonexisting field'),
    );
    expect(await mock.connection.check(signal)).toMatchObject({ label: 'Acme Shop', missingScopes: [] });
  });

  it('fails its check with a wrong token, a wrong secret and a wrong account, each in Meta’s words', async () => {
    const accessToken = `${TOKEN}x`;
    await using token = await openMeta({ credentials: { accessToken, appSecret: APP_SECRET } });
    await expect(token.connection.check(signal)).rejects.toMatchObject({ kind: 'auth_expired' });
    await using secret = await openMeta({ credentials: { accessToken: TOKEN, appSecret: 'wrong' } });
    await expect(secret.connection.check(signal)).rejects.toThrow('Invalid appsecret_proof');
    await using account = await openMeta({ config: { adAccountId: '9999' } });
    await expect(account.connection.check(signal)).rejects.toMatchObject({
      kind: 'bad_request',
      message: 'Meta refuses the request: Unsupported get request. Object does not exist',
    });
  });

  it('needs no secret where the app asks for no proof', async () => {
    await using mock = await openMeta({ state: { appSecret: null }, credentials: { accessToken: TOKEN } });
    expect(await mock.connection.check(signal)).toEqual(ACCOUNT);
    expect(mock.server.requests.some(({ query }) => query.has('appsecret_proof'))).toBe(false);
  });

  it('asks again after Meta’s own trouble, in whatever form it comes', async () => {
    await using mock = await openMeta({ config: { adAccountId: '1001' } });
    mock.server.next(
      metaError(1, 'An unknown error occurred', {}, 500),
      { status: 502, text: '<html>Bad gateway</html>' },
      { text: '{"data": [' },
      { json: { data: ['half of this is lost'] }, isTruncated: true },
    );
    const { pages, error } = await mock.pull('ad_insights');
    expect(error).toBeNull();
    expect(pages).toHaveLength(1);
    expect(mock.server.requests).toHaveLength(5);
  });

  it('sees an error that comes with status 200', async () => {
    await using mock = await openMeta();
    mock.server.next(metaError(190, 'Session has expired', { error_subcode: 463 }, 200));
    expect((await mock.pull('ad_insights')).error).toMatchObject({ kind: 'auth_expired' });
  });

  it('gives up after five tries, with trouble that may pass', async () => {
    await using mock = await openMeta();
    mock.server.next(...Array.from({ length: 5 }, () => ({ status: 502, text: '<html>' })));
    expect((await mock.pull('page_insights')).error).toMatchObject({ kind: 'transient' });
    expect(mock.server.requests).toHaveLength(5);
  });

  it('says so when an answer is no answer to what was asked', async () => {
    await using mock = await openMeta();
    mock.server.next({ json: { rows: [] } });
    expect((await mock.pull('ad_insights')).error).toMatchObject({
      kind: 'bad_request',
      message: 'Meta answered something else than was asked for.',
    });
  });

  it('tells when Meta answers by another version than the one that is pinned', async () => {
    const usage = Array.from({ length: 9 }, () => ({ 'facebook-api-version': 'v27.0' }));
    await using mock = await openMeta({ state: { usage } });
    for (const entity of Object.keys(meta.entities)) {
      const { pages } = await mock.pull(entity, { from: '2026-11-09T12:00:00Z' });
      expect(pages.at(-1)?.notes).toEqual(['Meta answered by version v27.0 of its API, not by v26.0.']);
    }
  });

  it('shows no credential in any error', async () => {
    await using mock = await openMeta();
    const answers = [
      metaError(190, `Malformed access token ${TOKEN}`, {}, 401),
      metaError(100, `Bad parameter ${TOKEN}, ${PAGE_TOKEN}, ${APP_SECRET}`),
      { json: { data: TOKEN } },
      { status: 404, text: TOKEN },
    ];
    for (const answer of answers) {
      mock.server.next(answer);
      const { error } = await mock.pull('ad_insights');
      expect(error).toBeInstanceOf(Error);
      for (const secret of [TOKEN, PAGE_TOKEN, APP_SECRET]) expect(wordsOf(error)).not.toContain(secret);
    }
  });

  it('keeps tokens out of every address', async () => {
    await using mock = await openMeta();
    await mock.connection.check(signal);
    for (const entity of Object.keys(meta.entities)) await mock.pull(entity);
    for (const { query } of mock.server.requests) expect(query.has('access_token')).toBe(false);
  });
});

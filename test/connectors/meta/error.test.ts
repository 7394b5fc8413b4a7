import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/connectors/meta/error.ts';
import { pauseMsAt, usageOf } from '../../../src/connectors/meta/usage.ts';
import type { ProviderErrorKind } from '../../../src/connectors/provider-error.ts';

const NOW = new Date('2026-11-10T12:00:00Z');

function judged(status: number, json: unknown, headers: Readonly<Record<string, string>> = {}) {
  return judge({ status, json, headers: new Headers(headers), hasBody: true }, NOW);
}

type Case = readonly [code: number, subcode: number | null, kind: ProviderErrorKind];

const each = (codes: readonly number[], kind: ProviderErrorKind): Case[] =>
  codes.map((code) => [code, null, kind]);

const TABLE: readonly Case[] = [
  ...[458, 459, 460, 461, 462, 463, 464, 465, 466, 467].map((sub): Case => [190, sub, 'auth_expired']),
  ...each([102, 190], 'auth_expired'),
  ...each([3, 10, 200, 210, 230, 299], 'forbidden_scope'),
  ...each([4, 17, 32, 341, 613], 'rate_limited'),
  ...Array.from({ length: 15 }, (_, index): Case => [80_000 + index, null, 'rate_limited']),
  [4, 1504022, 'rate_limited'],
  [4, 1504039, 'rate_limited'],
  ...each([1, 2], 'transient'),
  [1, 99, 'transient'],
  [100, 1504018, 'bad_request'],
  [2, 1504038, 'bad_request'],
  [100, 33, 'bad_request'],
  ...each([100, 300, 803, 2635, 79_999, 80_015], 'bad_request'),
];

describe('Meta’s errors', () => {
  it.each(TABLE)('code %s with subcode %s is %s, with any status', (code, subcode, kind) => {
    for (const status of [200, 400, 401, 403, 500]) {
      const error = {
        message: 'No',
        code,
        fbtrace_id: 'trace',
        ...(subcode ? { error_subcode: subcode } : {}),
      };
      expect(judged(status, { error })).toMatchObject({ kind, requestId: 'trace' });
    }
  });

  it('are none where there is no error, whatever else there is', () => {
    expect(judged(200, { data: [] })).toBeNull();
    expect(judged(502, undefined)).toBeNull();
  });

  it('without a code go by what they say of themselves, and by the status', () => {
    expect(judged(400, { error: { message: 'No', code: 77, is_transient: true } })).toMatchObject({
      kind: 'transient',
    });
    expect(judged(500, { error: { message: 'No' } })).toMatchObject({ kind: 'transient' });
    expect(judged(401, { error: {} })).toMatchObject({ kind: 'auth_expired' });
    expect(judged(401, undefined)).toMatchObject({ kind: 'auth_expired' });
    expect(judged(400, { error: { code: [] } })).toMatchObject({ kind: 'bad_request' });
  });

  it.each([
    [100, 1504018, 'Too much', 'days'],
    [2, 1504038, 'Too much', 'days'],
    [1, null, 'Please reduce the amount of data you’re asking for, then retry your request', 'days'],
    [100, null, '(#100) The value must be a valid insights metric', 'metrics'],
    [100, null, '(#100) metric[0] must be one of the following values: reach', 'metrics'],
    [100, null, '(#100) Tried accessing nonexisting field', null],
    [2, null, 'metric trouble', null],
  ])('code %s/%s, "%s", asks for fewer %s', (code, error_subcode, message, askLess) => {
    expect(judged(400, { error: { code, error_subcode, message } })).toMatchObject({ askLess });
  });

  it('name the permission that is missing as Meta names it', () => {
    const error = { code: 200, message: '(#200) Requires pages_read_engagement permission' };
    expect(judged(403, { error })).toMatchObject({ scope: 'pages_read_engagement' });
    expect(judged(403, { error: { code: 10, message: 'No' } })).toMatchObject({ scope: null });
  });

  it('say what Meta says, shortened, and never a token', () => {
    const token = 'EAABsbCS1iHgBAKZC0123456789';
    const error = { code: 190, message: `Malformed access token ${token}` };
    expect(judged(401, { error })?.message).toBe('Meta refuses the token: Malformed access token …');
    expect(judged(400, { error: { code: 100, message: 'no '.repeat(500) } })?.message.length).toBeLessThan(
      240,
    );
    expect(judged(400, { error: { code: 803 } })?.message).toBe('Meta refuses the request: error 803');
  });
});

describe('Meta’s limits', () => {
  const business = (minutes: number, percent = 10) => ({
    'x-business-use-case-usage': JSON.stringify({
      1: [{ type: 'pages', call_count: 1, total_cputime: percent, estimated_time_to_regain_access: minutes }],
      2: [{ type: 'ads_insights', call_count: 2 }],
    }),
  });

  it.each([
    ['no header', {}, { percent: 0, regainMs: null }],
    ['headers that are no JSON', { 'x-app-usage': 'busy' }, { percent: 0, regainMs: null }],
    ['headers of another shape', { 'x-app-usage': '[3]' }, { percent: 0, regainMs: null }],
    [
      'the app',
      { 'x-app-usage': '{"call_count":28,"total_time":79,"total_cputime":25}' },
      { percent: 79, regainMs: null },
    ],
    [
      'a calm account',
      { 'x-ad-account-usage': '{"acc_id_util_pct":9.67,"reset_time_duration":100}' },
      { percent: 9.67, regainMs: null },
    ],
    [
      'a busy account',
      { 'x-ad-account-usage': '{"acc_id_util_pct":95,"reset_time_duration":100}' },
      { percent: 95, regainMs: 100_000 },
    ],
    ['a business', business(0, 80), { percent: 80, regainMs: null }],
    ['a business that is shut out', business(19, 100), { percent: 100, regainMs: 1_140_000 }],
    [
      'the insights',
      { 'x-fb-ads-insights-throttle': '{"app_id_util_pct":12,"acc_id_util_pct":76}' },
      { percent: 76, regainMs: null },
    ],
    [
      'the longest wait of several',
      { ...business(1, 100), 'x-ad-account-usage': '{"acc_id_util_pct":100,"reset_time_duration":100}' },
      { percent: 100, regainMs: 100_000 },
    ],
    ['a wait of no limit of Meta’s', business(1e9, 100), { percent: 100, regainMs: 86_400_000 }],
  ])('are read from %s', (_, headers, expected) => {
    expect(usageOf(new Headers(Object.entries(headers)))).toEqual(expected);
  });

  it('tell a refusal when to come again; where they do not, nobody knows', () => {
    const error = { code: 80_000, message: 'Too many calls' };
    expect(judged(400, { error }, business(19))?.resumeAt).toEqual(new Date('2026-11-10T12:19:00Z'));
    expect(judged(400, { error })?.resumeAt).toBeNull();
    expect(judged(400, { error: { code: 100 } }, business(19))?.resumeAt).toBeNull();
  });

  it.each([
    [0, 0],
    [74.9, 0],
    [75, 250],
    [94, 5_000],
  ])('at %s %% make for a pause of %s ms', (percent, pauseMs) => {
    expect(pauseMsAt(percent)).toBe(pauseMs);
  });
});

import { afterEach, expect, it } from 'vitest';
import { grantedTo } from '../../src/auth/permission.ts';
import type { Authentication, Refusal } from '../../src/auth/authentication.ts';
import { Sessions } from '../../src/auth/sessions.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../support/log.ts';
import { waitFor } from '../support/wait.ts';

const open: Sessions[] = [];
/** How often somebody was looked at */
let looks = 0;
afterEach(async () => {
  await Promise.all(open.splice(0).map((sessions) => sessions.stop()));
});

const allowed = (expiresAt: Date | null = null): Authentication => ({
  principal: {
    organization: { id: 'one', name: 'One', timeZone: 'UTC', currency: 'EUR' },
    userId: null,
    credential: 'test',
    triggeredBy: 'api:test',
    role: 'viewer',
    permissions: grantedTo('viewer', []),
    expiresAt,
  },
});
const refused: Authentication = { refusal: { code: 'UNAUTHENTICATED', message: 'revoked' } };
const CREDENTIALS = { token: 'one', organization: null };

function sessionsOf(answer: () => Authentication | Error): { sessions: Sessions; ended: Refusal[] } {
  const sessions = new Sessions({
    authenticate: () => {
      looks += 1;
      const given = answer();
      return given instanceof Error ? Promise.reject(given) : Promise.resolve(given);
    },
    clock: systemClock,
    log: silentLog,
  });
  open.push(sessions);
  return { sessions, ended: [] };
}

it('a caller who is refused gets no session', async () => {
  const { sessions } = sessionsOf(() => refused);
  expect(await sessions.begin(null, () => undefined)).toEqual(refused);
  expect(sessions.open).toBe(0);
});

it('a session ends once when its credential does, at the moment of its expiry', async () => {
  const expiresAt = new Date(Date.now() + 200);
  const { sessions, ended } = sessionsOf(() => allowed(expiresAt));
  const begun = await sessions.begin(CREDENTIALS, (refusal) => ended.push(refusal));
  if (!('session' in begun)) throw new Error('refused');
  await waitFor(() => ended.length === 1);
  expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime() - 1);
  expect(begun.session.ended).toEqual({ code: 'UNAUTHENTICATED', message: 'The token has expired.' });
  expect(sessions.open).toBe(0);
});

it('a session ends within five seconds after its key was revoked; one that was released ends no more', async () => {
  let answer = allowed();
  const { sessions, ended } = sessionsOf(() => answer);
  await sessions.begin(CREDENTIALS, (refusal) => ended.push(refusal));
  const other = await sessions.begin(CREDENTIALS, () => ended.push({ code: 'FORBIDDEN', message: 'never' }));
  if ('session' in other) other.session.release();
  expect(sessions.open).toBe(1);
  answer = refused;
  await waitFor(() => ended.length > 0, { timeoutMs: 5_000 });
  expect(ended).toEqual([refused.refusal]);
});

it('what a caller may changes while they stay, and a database that is away ends nothing', async () => {
  let answer: Authentication | Error = allowed();
  const { sessions, ended } = sessionsOf(() => answer);
  const begun = await sessions.begin(CREDENTIALS, (refusal) => ended.push(refusal));
  if (!('session' in begun)) throw new Error('refused');
  answer = new Error('away');
  const before = looks;
  await waitFor(() => looks > before);
  expect(begun.session.ended).toBeNull();
  const { principal } = allowed();
  if (!principal) throw new Error('no principal');
  answer = { principal: { ...principal, role: 'admin', permissions: grantedTo('admin', []) } };
  await waitFor(() => begun.session.principal.role === 'admin', { timeoutMs: 5_000 });
  expect(ended).toEqual([]);
});

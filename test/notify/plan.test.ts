import { describe, expect, it } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { digestTotal, type NoticePreference } from '../../src/domain/notice.ts';
import { planNotices, type EndedJob, type Recipient } from '../../src/notify/plan.ts';

const organizationId = newUuid();
const limits = { individualMax: 20, windowMs: 600_000 };
const always = { limits, canMail: true };

const job = (overrides: Partial<EndedJob> = {}): EndedJob => ({
  id: newUuid(),
  organizationId,
  kind: 'product_import',
  type: 'job_failed',
  startedBy: null,
  ...overrides,
});
const person = (overrides: Partial<Recipient> = {}): Recipient => ({
  organizationId,
  id: newUuid(),
  user: { email: 'a@example.com', isAdmin: true },
  preferences: [],
  recentCount: 0,
  openDigest: null,
  ...overrides,
});
const said = (overrides: Partial<NoticePreference>): NoticePreference => ({
  type: 'job_failed',
  jobKind: '*',
  channel: 'email',
  enabled: false,
  ...overrides,
});
const jobs = (count: number): EndedJob[] => Array.from({ length: count }, () => job());

describe('the plan', () => {
  it('tells failures in the app and by mail, and warnings in the app, until somebody says otherwise', () => {
    const { notices } = planNotices(
      [job(), job({ type: 'job_completed_with_warnings' })],
      [person()],
      always,
    );
    expect(notices.map(({ inApp, email }) => ({ inApp, email }))).toEqual([
      { inApp: true, email: true },
      { inApp: true, email: false },
    ]);
  });

  it('takes what is said of a kind before what is said of all', () => {
    const preferences = [
      said({}),
      said({ jobKind: 'product_import', enabled: true }),
      said({ channel: 'in_app' }),
    ];
    const { notices } = planNotices(
      [job(), job({ kind: 'order_import' })],
      [person({ preferences })],
      always,
    );
    expect(notices.map(({ job: { kind }, inApp, email }) => ({ kind, inApp, email }))).toEqual([
      { kind: 'product_import', inApp: false, email: true },
    ]);
  });

  it('tells members of what they started, and nobody of another organization’s', () => {
    const member = person({ user: { email: 'm@example.com', isAdmin: false } });
    const own = job({ startedBy: 'm@example.com' });
    const { notices } = planNotices(
      [own, job(), job({ startedBy: 'm@example.com', organizationId: newUuid() })],
      [member],
      always,
    );
    expect(notices.map((notice) => notice.job.id)).toEqual([own.id]);
  });

  it('plans no mail where none can be sent', () => {
    const { notices, digests } = planNotices(jobs(30), [person()], { limits, canMail: false });
    expect([...notices, ...digests].some(({ email }) => email)).toBe(false);
  });

  it('counts into one digest what comes after the twentieth', () => {
    const { notices, digests } = planNotices(jobs(500), [person()], always);
    expect(notices).toHaveLength(20);
    expect(digests).toHaveLength(1);
    expect(digests[0]).toMatchObject({ isNew: true, inApp: true, email: true });
    expect(digestTotal(digests[0]?.kinds ?? {})).toEqual({ failed: 480, warned: 0 });
  });

  it('counts those that were told before', () => {
    const { notices, digests } = planNotices(jobs(3), [person({ recentCount: 19 })], always);
    expect(notices).toHaveLength(1);
    expect(digestTotal(digests[0]?.kinds ?? {})).toEqual({ failed: 2, warned: 0 });
  });

  it('adds to a digest that is open, and tells nothing one by one beside it', () => {
    const openDigest = { id: newUuid(), kinds: { x: { failed: 5, warned: 1 } }, inApp: true, email: false };
    const { notices, digests } = planNotices(jobs(2), [person({ openDigest })], always);
    expect(notices).toEqual([]);
    expect(digests[0]).toMatchObject({ id: openDigest.id, isNew: false, email: true });
    expect(digests[0]?.kinds).toEqual({
      x: { failed: 5, warned: 1 },
      product_import: { failed: 2, warned: 0 },
    });
  });

  it('counts for each recipient by themselves, and not what they do not want', () => {
    const muted = person({ preferences: [said({}), said({ channel: 'in_app' })] });
    const busy = person({ recentCount: 20 });
    const calm = person();
    const { notices, digests } = planNotices(jobs(2), [muted, busy, calm], always);
    expect(notices.map(({ recipient }) => recipient.id)).toEqual([calm.id, calm.id]);
    expect(digests.map(({ recipient }) => recipient.id)).toEqual([busy.id]);
  });
});

import {
  addToDigest,
  wantsNotice,
  type DigestKinds,
  type NoticePreference,
  type NoticeType,
} from '../domain/notice.ts';
import { newUuid } from '../domain/ids.ts';

/** When notices become a storm. */
export interface NoticeLimits {
  /** So many notices reach a recipient one by one within `windowMs`; what comes after them is a digest */
  readonly individualMax: number;
  /** Also for how long a digest collects before it is sent */
  readonly windowMs: number;
}

interface PlanOptions {
  readonly limits: NoticeLimits;
  /** Otherwise nothing is planned for e-mail */
  readonly canMail: boolean;
}

export const NOTICE_LIMITS: NoticeLimits = { individualMax: 20, windowMs: 10 * 60_000 };

/** What the plan must know of a job that ended. */
export interface EndedJob {
  readonly id: string;
  readonly organizationId: string;
  readonly kind: string;
  readonly type: NoticeType;
  /** E-mail address of the person who started it */
  readonly startedBy: string | null;
}

/** One who may be told, and what they were told lately. */
export interface Recipient {
  readonly organizationId: string;
  /** The user; or the organization itself, whose copy goes to webhooks and to keys of no person */
  readonly id: string;
  readonly user: { readonly email: string; readonly isAdmin: boolean } | null;
  readonly preferences: readonly NoticePreference[];
  /** Notices of single jobs within the window, counted up to the limit */
  readonly recentCount: number;
  readonly openDigest: OpenDigest | null;
}

export interface OpenDigest {
  readonly id: string;
  readonly kinds: DigestKinds;
  readonly inApp: boolean;
  readonly email: boolean;
}

export interface PlannedNotice<Job extends EndedJob> {
  readonly id: string;
  readonly recipient: Recipient;
  readonly job: Job;
  readonly inApp: boolean;
  readonly email: boolean;
}

export interface PlannedDigest extends OpenDigest {
  readonly recipient: Recipient;
  /** Not a row yet */
  readonly isNew: boolean;
}

export interface NoticePlan<Job extends EndedJob> {
  readonly notices: readonly PlannedNotice<Job>[];
  readonly digests: readonly PlannedDigest[];
}

/** Who is told of what, and how: each recipient of an organization, in the order in which the jobs ended. */
export function planNotices<Job extends EndedJob>(
  jobs: readonly Job[],
  recipients: readonly Recipient[],
  options: PlanOptions,
): NoticePlan<Job> {
  const notices: PlannedNotice<Job>[] = [];
  const digests: PlannedDigest[] = [];
  for (const recipient of recipients) {
    const own = jobs.filter(
      (job) => job.organizationId === recipient.organizationId && concerns(job, recipient),
    );
    const planned = planFor(recipient, own, options);
    notices.push(...planned.notices);
    if (planned.digest) digests.push(planned.digest);
  }
  return { notices, digests };
}

function planFor<Job extends EndedJob>(
  recipient: Recipient,
  jobs: readonly Job[],
  { limits, canMail }: PlanOptions,
): { readonly notices: readonly PlannedNotice<Job>[]; readonly digest: PlannedDigest | null } {
  const notices: PlannedNotice<Job>[] = [];
  let digest: PlannedDigest | null = null;
  for (const job of jobs) {
    const channels = channelsOf(recipient, job, canMail);
    if (!channels.inApp && !channels.email) continue;
    const isCollecting = digest !== null || recipient.openDigest !== null;
    if (!isCollecting && recipient.recentCount + notices.length < limits.individualMax) {
      notices.push({ id: newUuid(), recipient, job, ...channels });
      continue;
    }
    const before: PlannedDigest = digest ?? openDigestOf(recipient);
    digest = {
      ...before,
      kinds: addToDigest(before.kinds, job.kind, job.type),
      inApp: before.inApp || channels.inApp,
      email: before.email || channels.email,
    };
  }
  return { notices, digest };
}

function openDigestOf(recipient: Recipient): PlannedDigest {
  const open = recipient.openDigest;
  if (open) return { ...open, recipient, isNew: false };
  return { id: newUuid(), kinds: {}, inApp: false, email: false, recipient, isNew: true };
}

function concerns(job: EndedJob, { user }: Recipient): boolean {
  return user === null || user.isAdmin || user.email === job.startedBy;
}

function channelsOf({ user, preferences }: Recipient, { type, kind }: EndedJob, canMail: boolean) {
  if (user === null) return { inApp: true, email: false };
  return {
    inApp: wantsNotice(preferences, type, kind, 'in_app'),
    email: canMail && wantsNotice(preferences, type, kind, 'email'),
  };
}

/** What there is to tell of a job's end. Completed and cancelled jobs tell nothing. */
export const NOTICE_TYPES = ['job_failed', 'job_completed_with_warnings'] as const;
export type NoticeType = (typeof NOTICE_TYPES)[number];

/** A notice is of one job; a digest stands for many at once. */
export type NotificationType = NoticeType | 'digest';

export const NOTIFICATION_CHANNELS = ['in_app', 'email'] as const;
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];

/** Stands for all kinds of job without a preference of their own. */
export const EVERY_KIND = '*';

/** What a person changed of the defaults. */
export interface NoticePreference {
  readonly type: NoticeType;
  /** A kind of job, or EVERY_KIND */
  readonly jobKind: string;
  readonly channel: NotificationChannel;
  readonly enabled: boolean;
}

/** What people get who said nothing. */
export const NOTICE_DEFAULTS: {
  readonly [T in NoticeType]: { readonly [C in NotificationChannel]: boolean };
} = {
  job_failed: { in_app: true, email: true },
  job_completed_with_warnings: { in_app: true, email: false },
};

/** Whether a person wants it there: by what they said of this kind, else of all kinds, else by the default. */
export function wantsNotice(
  preferences: readonly NoticePreference[],
  type: NoticeType,
  jobKind: string,
  channel: NotificationChannel,
): boolean {
  const said = (kind: string): boolean | undefined =>
    preferences.find((said) => said.type === type && said.channel === channel && said.jobKind === kind)
      ?.enabled;
  return said(jobKind) ?? said(EVERY_KIND) ?? NOTICE_DEFAULTS[type][channel];
}

/** Jobs of one kind that a digest stands for. */
export interface DigestCounts {
  readonly failed: number;
  readonly warned: number;
}

/** What a digest stands for, by kind of job. */
export type DigestKinds = Readonly<Record<string, DigestCounts>>;

export function digestTotal(kinds: DigestKinds): DigestCounts {
  const all = Object.values(kinds);
  return {
    failed: all.reduce((sum, { failed }) => sum + failed, 0),
    warned: all.reduce((sum, { warned }) => sum + warned, 0),
  };
}

export function addToDigest(kinds: DigestKinds, kind: string, type: NoticeType): DigestKinds {
  const { failed, warned } = kinds[kind] ?? { failed: 0, warned: 0 };
  const counts = type === 'job_failed' ? { failed: failed + 1, warned } : { failed, warned: warned + 1 };
  return { ...kinds, [kind]: counts };
}

import { digestTotal, type DigestKinds, type NoticeType } from '../domain/notice.ts';
import type { JobCounts } from '../domain/job.ts';
import type { JobCatalogue } from '../jobs/define.ts';

/** A notice in words. */
export interface NoticeText {
  readonly title: string;
  readonly body: string;
}

interface Told {
  readonly kind: string;
  readonly type: NoticeType;
  readonly errorMessage: string | null;
  readonly counts: JobCounts;
}

/** What people call a kind of job, also under a name that it had before. */
export function titleOf(catalogue: JobCatalogue, kind: string): string {
  const contract = catalogue[kind] ?? Object.values(catalogue).find(({ aliases }) => aliases?.includes(kind));
  return contract?.title ?? kind.replaceAll('_', ' ');
}

export function noticeText(catalogue: JobCatalogue, { kind, type, errorMessage, counts }: Told): NoticeText {
  const title = titleOf(catalogue, kind);
  if (type === 'job_failed') {
    return { title: `“${title}” failed`, body: errorMessage ?? 'It ended without a result.' };
  }
  const parts = [
    counts.succeeded > 0 ? `${counts.succeeded} succeeded` : '',
    counts.warned > 0 ? `${counts.warned} warned` : '',
    counts.failed > 0 ? `${counts.failed} failed` : '',
  ].filter(Boolean);
  return { title: `“${title}” finished with warnings`, body: `${parts.join(', ')}.` };
}

export function digestText(catalogue: JobCatalogue, kinds: DigestKinds): NoticeText {
  const { failed, warned } = digestTotal(kinds);
  const lines = Object.entries(kinds).map(
    ([kind, counts]) => `${titleOf(catalogue, kind)}: ${endsOf(counts)}`,
  );
  return { title: `${endsOf({ failed, warned })} in a short time`, body: `${lines.join('. ')}.` };
}

function endsOf({ failed, warned }: { readonly failed: number; readonly warned: number }): string {
  const jobs = (count: number): string => (count === 1 ? '1 job' : `${count} jobs`);
  return [
    failed > 0 ? `${jobs(failed)} failed` : '',
    warned > 0 ? `${jobs(warned)} finished with warnings` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

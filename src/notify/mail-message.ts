import { toPublicId } from '../domain/ids.ts';

/** What a mail is made of. */
export interface MailedNotice {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  /** The job that it tells of; null for a digest */
  readonly jobId: string | null;
  readonly organizationName: string;
}

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** @param linkBase where people reach the API; without it the mail has no link */
export function mailText(notice: MailedNotice, linkBase: string): MailText {
  const { title, body, jobId, organizationName } = notice;
  const link =
    linkBase === '' ? null : `${linkBase}/${jobId === null ? '' : `jobs/${toPublicId('job', jobId)}`}`;
  const why = `You get this because of your notification preferences at ${organizationName}.`;
  const html = [
    `<p><strong>${escapeHtml(title)}</strong></p>`,
    `<p>${escapeHtml(body)}</p>`,
    ...(link === null ? [] : [`<p><a href="${escapeHtml(link)}">${escapeHtml(link)}</a></p>`]),
    `<p style="color:#666">${escapeHtml(why)}</p>`,
  ].join('\n');
  return {
    // A header has one line.
    subject: `[${organizationName}] ${title}`.replace(/\s+/g, ' ').slice(0, 200),
    text: [title, body, ...(link === null ? [] : [link]), why].join('\n\n'),
    html,
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

import { JobFailure } from '../../src/domain/errors.ts';
import type { emailDelivery } from '../../src/jobs/email-delivery.ts';
import { raceAbort } from '../../src/lib/abort.ts';
import { mailText } from '../../src/notify/mail-message.ts';
import { MailError, type Mailer } from '../../src/notify/mailer.ts';
import { toPublicId } from '../../src/domain/ids.ts';
import { findUnsentMail, markMailed } from '../../src/repositories/mailed-notices.ts';
import type { Handler } from '../context.ts';

export interface EmailDeliveryDeps {
  /** Null where no mail server is configured */
  readonly mailer: Mailer | null;
  readonly linkBase: string;
}

/**
 * Sends a notice's mail and writes down that it went out: a later attempt sends nothing. Between the two a worker may
 * die, so in the worst case a mail comes twice, with one Message-ID.
 */
export function sendEmail({ mailer, linkBase }: EmailDeliveryDeps): Handler<typeof emailDelivery> {
  return async (ctx, { notificationId }) => {
    const notice = await findUnsentMail(ctx.db, notificationId);
    if (!notice || !mailer) return { sent: false };
    const mail = { ...mailText(notice, linkBase), to: notice.to, id: toPublicId('notification', notice.id) };
    try {
      await raceAbort(mailer.send(mail), ctx.signal);
    } catch (error) {
      if (error instanceof MailError) throw failureOf(error);
      throw error;
    }
    await ctx.transaction((tx) => markMailed(tx, notice.id));
    return { sent: true };
  };
}

function failureOf(error: MailError): JobFailure {
  const message = 'The mail server did not take the mail.';
  return error.permanent
    ? JobFailure.permanent('PROVIDER_REJECTED', message, error)
    : JobFailure.retryable('PROVIDER_UNAVAILABLE', message, error);
}

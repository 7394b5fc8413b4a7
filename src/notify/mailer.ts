import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { toError } from '../lib/abort.ts';
import type { MailText } from './mail-message.ts';

/** One mail to one person. */
export interface Mail extends MailText {
  readonly to: string;
  /** Becomes the Message-ID: a mail that is sent twice after all is recognized by it */
  readonly id: string;
}

/** The mail was not taken. `permanent`: it never will be. Holds neither password nor address of the server. */
export class MailError extends Error {
  override readonly name = 'MailError';
  readonly permanent: boolean;
  constructor(message: string, permanent: boolean) {
    super(message);
    this.permanent = permanent;
  }
}

export interface Mailer {
  /** @throws MailError */
  send(mail: Mail): Promise<void>;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Without a word from the server */
const SILENCE_TIMEOUT_MS = 20_000;

/** Mails by SMTP, each over a connection of its own. */
export function openMailer({ smtpUrl, from }: { readonly smtpUrl: string; readonly from: string }): Mailer {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    // Nothing of a mail may make this process read files or fetch addresses.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'millrace';
  return {
    async send({ to, id, subject, text, html }) {
      // An object, not a list in a text: an address holds whatever its owner typed.
      const mail = {
        from,
        to: { name: '', address: to },
        subject,
        text,
        html,
        messageId: `<${id}@${domain}>`,
      };
      try {
        await transport.sendMail({ ...mail, headers: { 'auto-submitted': 'auto-generated' } });
      } catch (error) {
        throw describe(error, smtpUrl);
      }
    },
    close: () => transport.close(),
  };
}

const smtpError = z.object({ code: z.string().optional(), responseCode: z.int().optional() });

function describe(error: unknown, smtpUrl: string): MailError {
  const { code, responseCode } = smtpError.catch({}).parse(error);
  const what = [code, responseCode].filter(Boolean).join(' ');
  const said = withoutSecrets(toError(error).message, smtpUrl);
  // A refused login is the operator's to mend, and every mail's after it.
  const permanent = code !== 'EAUTH' && responseCode !== undefined && responseCode >= 500;
  return new MailError(`The mail was not taken${what ? ` (${what})` : ''}: ${said}`, permanent);
}

function withoutSecrets(text: string, smtpUrl: string): string {
  const { username, password } = new URL(smtpUrl);
  const secrets = [password, decodeURIComponent(password), username, decodeURIComponent(username)];
  return secrets.filter(Boolean).reduce((told, secret) => told.replaceAll(secret, '[secret]'), text);
}

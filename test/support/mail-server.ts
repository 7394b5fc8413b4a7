import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body as they came */
  readonly source: string;
}

export interface MailServer extends AsyncDisposable {
  /** With the credentials that it takes */
  readonly url: string;
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** Refuses recipients with this SMTP code, while it is set */
  refuseWith: number | null;
  close(): Promise<void>;
}

const USER = 'millrace';
const PASSWORD = 'hunter2 hunter2';

/** A mail server on this machine that keeps what it gets. */
export async function startMailServer(): Promise<MailServer> {
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === USER && password === PASSWORD
        ? done(null, { user: USER })
        : done(new Error(`no entry for ${username ?? ''} with ${password ?? ''}`)),
    onRcptTo(_address, _session, done) {
      if (mailServer.refuseWith === null) return done();
      done(Object.assign(new Error('refused'), { responseCode: mailServer.refuseWith }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mailServer.mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          source: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  const mailServer: MailServer = {
    url: `smtp://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    port,
    mails: [],
    refuseWith: null,
    close,
    [Symbol.asyncDispose]: close,
  };
  return mailServer;
}

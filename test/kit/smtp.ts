/** SMTP servers on loopback, for tests of mail. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { newFolder } from './folder.ts';

/** Message that the server received. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly isEncrypted: boolean;
  /** Content as received. */
  readonly raw: string;
  readonly mail: Email;
}

export interface SmtpReceiver {
  readonly port: number;
  /** Accepted messages, in order. */
  readonly received: readonly ReceivedMail[];
  /** Addresses of all RCPT commands. */
  readonly recipients: readonly string[];
  /** Sets the response to RCPT: a status, `hang` for no response until `release`, or undefined to accept. */
  reply(status: (address: string) => number | 'hang' | undefined): void;
  release(): void;
  close(): Promise<void>;
}

export interface SmtpReceiverOptions {
  /** User and password that the server requires. */
  readonly login?: readonly [user: string, password: string];
  /** Certificate with its key. Without it, the server has no STARTTLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** TLS from the begin of a connection. */
  readonly secure?: boolean;
}

/** Starts a server, and stops it after the tests of the file. */
export async function startSmtpReceiver({ login, tls, secure = false }: SmtpReceiverOptions = {}): Promise<SmtpReceiver> {
  const received: ReceivedMail[] = [];
  const recipients: string[] = [];
  let statusOf: Parameters<SmtpReceiver['reply']>[0] = () => undefined;
  let waiting: (() => void)[] = [];
  const server = new SMTPServer({
    ...tls,
    secure,
    authOptional: login === undefined,
    // Passwords also without TLS, because that is the connection on loopback.
    allowInsecureAuth: true,
    disabledCommands: [...(tls === undefined ? ['STARTTLS'] : []), ...(login === undefined ? ['AUTH'] : [])],
    disableReverseLookup: true,
    closeTimeout: 100,
    onAuth({ username, password }, _session, callback) {
      const isRight = login !== undefined && username === login[0] && password === login[1];
      callback(isRight ? null : Object.assign(new Error('no'), { responseCode: 535 }), isRight ? { user: username } : undefined);
    },
    onRcptTo({ address }, _session, callback) {
      recipients.push(address);
      const status = statusOf(address);
      if (status === 'hang') waiting.push(() => callback());
      else callback(status === undefined ? null : Object.assign(new Error('secret of the receiver'), { responseCode: status }));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8');
        const { mailFrom, rcptTo } = session.envelope;
        void PostalMime.parse(raw).then((mail) => {
          received.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            user: typeof session.user === 'string' ? session.user : undefined,
            isEncrypted: session.secure,
            raw,
            mail,
          });
          callback();
        });
      });
    },
  });
  // Clients that do not trust the certificate end the connection.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  const release = (): void => {
    for (const answer of waiting) answer();
    waiting = [];
  };
  after(async () => {
    release();
    await close();
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    recipients,
    reply(status) {
      statusOf = status;
    },
    release,
    close,
  };
}

/** Creates a certificate for `localhost` and 127.0.0.1 that signs itself. */
export function selfSigned(): { readonly key: string; readonly cert: string; readonly certFile: string } {
  const folder = newFolder('smtp');
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-addext', names];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...options, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8'), certFile };
}

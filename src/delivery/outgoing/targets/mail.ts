/** Sender of mail to the operator's SMTP server. */
import { connect, type Socket } from 'node:net';
import type { OutgoingMessage, OutgoingTarget } from '#services/kit/outgoing.ts';
import type { Outcome } from '../outcome.ts';
import type { SmtpServer } from './smtp-server.ts';

export type MailTarget = Extract<OutgoingTarget, { readonly kind: 'mail' }>;

/** Sends one message. Rejects only if the server has a bug. */
export type SendMail = (message: OutgoingMessage, target: MailTarget) => Promise<Outcome>;

export interface SmtpParts {
  /** Returns the server. Called for each message, so that a new password needs no restart. Throws if it cannot be read. */
  readonly server: () => SmtpServer;
  /** Address of the sender. */
  readonly from: string;
  /** Longest time of one message, with the connection. */
  readonly timeoutMs?: number;
}

/** Most messages at the same time, so that a slow server leaves attempts to the other targets. */
export const MAIL_RUNNING_MAX = 8;
/** Time after which a message is tried again that found all places taken. */
const FULL_MS = 1_000;
const TIMEOUT_MS = 60_000;

/** Commands whose answer is about the message. A 5xx of others is about the connection, the login or the server. */
const OF_MESSAGE: readonly unknown[] = ['MAIL FROM', 'RCPT TO', 'DATA'];
/** Answers to these commands that are about the login. Source: RFC 4954, section 6. */
const OF_LOGIN: readonly unknown[] = [530, 534, 535, 538];

/** Codes of Node.js for a certificate that is not trusted or a failed handshake: `DEPTH_ZERO_SELF_SIGNED_CERT`, `ERR_TLS_CERT_ALTNAME_INVALID`. */
const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|UNABLE_TO)_|CERT/;

/**
 * Returns the parts of a message for nodemailer, also for the folder. All of them are texts of the server, so nodemailer reads no file and no URL.
 * The ID is the same in each attempt, so that a mail server can recognize a repetition.
 */
export function mailOf(
  { id, body, createdAt }: Pick<OutgoingMessage, 'id' | 'body' | 'createdAt'>,
  { to, subject }: MailTarget,
  from: string,
) {
  return {
    from: { name: '', address: from },
    to: { name: '', address: to },
    envelope: { from, to: [to] },
    subject,
    text: body,
    date: new Date(createdAt),
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    // Source: RFC 3834, section 5: it stops automatic answers.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Creates the sender. Each message has a connection of its own. The code of nodemailer is loaded with the first message. */
export function smtpSender({ server, from, timeoutMs = TIMEOUT_MS }: SmtpParts): SendMail {
  let running = 0;
  return async (message, target) => {
    if (running >= MAIL_RUNNING_MAX) return { kind: 'later', afterMs: FULL_MS };
    running += 1;
    try {
      return await send(readOrFail(server), timeoutMs, mailOf(message, target, from));
    } catch (error) {
      return mailOutcome(error);
    } finally {
      running -= 1;
    }
  };
}

/** Error of the settings. Its message names no secret. */
class SettingsProblem extends Error {}

function readOrFail(server: () => SmtpServer): SmtpServer {
  try {
    return server();
  } catch {
    throw new SettingsProblem();
  }
}

async function send(
  { host, port, secure, requiresTls, user, password }: SmtpServer,
  timeoutMs: number,
  mail: ReturnType<typeof mailOf>,
): Promise<Outcome> {
  const { createTransport } = await import('nodemailer');
  let socket: Socket | undefined;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    socket?.destroy();
  }, timeoutMs);
  const transport = createTransport({
    host,
    port,
    secure,
    // nodemailer prefers STARTTLS if the server offers it. On loopback, a certificate may be missing.
    ...(requiresTls ? { requireTLS: true } : { ignoreTLS: true }),
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    tls: { servername: host, minVersion: 'TLSv1.2', rejectUnauthorized: true },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    logger: false,
    // The server owns the socket, so that it can end an exchange in which the SMTP server sends a byte now and then.
    getSocket(_options: unknown, callback: (error: Error | null, options?: { readonly connection: Socket }) => void) {
      const opened = connect({ host, port });
      socket = opened;
      opened.once('error', callback);
      opened.once('close', () => callback(new Error('closed')));
      opened.once('connect', () => {
        opened.removeAllListeners('error').removeAllListeners('close');
        callback(null, { connection: opened });
      });
    },
  });
  try {
    await transport.sendMail(mail);
    return { kind: 'sent' };
  } catch (error) {
    return isLate ? { kind: 'retry', code: 'TIMEOUT', message: 'the mail server did not respond in time' } : mailOutcome(error);
  } finally {
    clearTimeout(timer);
    socket?.destroy();
  }
}

/**
 * Returns the outcome of an error of nodemailer. Final: 5xx about the message or its addresses. Retried: all others, also a refused login, because
 * the operator can correct it.
 *
 * Source: RFC 5321, section 4.2.1: 4yz is a transient and 5yz a permanent negative completion.
 */
function mailOutcome(error: unknown): Outcome {
  if (error instanceof SettingsProblem)
    return { kind: 'retry', code: 'NO_RESOURCE', message: 'the file of BELFRY_SMTP_FILE cannot be read or is invalid' };
  const { responseCode, command, code, originalCode } = error as Readonly<Record<string, unknown>>;
  const status = typeof responseCode === 'number' ? responseCode : undefined;
  if (code === 'EAUTH' || OF_LOGIN.includes(status))
    return { kind: 'retry', code: 'NO_PERMISSIONS', message: 'the mail server refused the login' };
  if (code === 'ETLS' || (typeof originalCode === 'string' && TLS_CODE.test(originalCode)))
    return { kind: 'retry', code: 'NO_PERMISSIONS', message: 'the mail server has no TLS, or a certificate that is not trusted' };
  if (status === undefined) {
    const name = typeof code === 'string' && /^[A-Z]{1,32}$/.test(code) ? code : 'unknown error';
    return { kind: 'retry', code: 'TIMEOUT', message: `the mail server cannot be reached (${name})` };
  }
  const message = `the mail server responded with the status ${status}`;
  if (status >= 500 && OF_MESSAGE.includes(command)) return { kind: 'failed', code: 'SDK_CLIENT_ERROR', message };
  return { kind: 'retry', code: status === 421 || status === 450 ? 'THROTTLING' : 'TIMEOUT', message };
}

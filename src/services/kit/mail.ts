/**
 * Mail to persons: invitations, PINs and notices. An operation queues a message in its transaction. `delivery/outgoing/targets/mail.ts` sends
 * it after the commit, at least once, to the operator's SMTP server or into a folder.
 */
import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { DAY_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { isMailAddress } from '#core/mail-address.ts';
import { type DomainEvent, subscription, type Work } from './events.ts';
import { laneOf, type NewMessage, type OutgoingFailed, outgoing } from './outgoing.ts';

/** Message to one person. */
export interface NewMail {
  /** AWS account whose operation sends the message. Its limits of outgoing messages apply. */
  readonly accountId: AccountId;
  /** Name by which the service finds what the message is about, if the message is refused. It is not sent. */
  readonly reference: string;
  readonly to: string;
  readonly subject: string;
  /** Plain text. Lines end with a line feed. */
  readonly text: string;
}

/**
 * Domain event: a message was not delivered, because the server of the recipient refused it or the time for attempts ended. It is emitted once,
 * in the transaction that removes the message. `reason` contains nothing that the receiver sent. Subscribers must not throw.
 */
export interface MailRefused extends DomainEvent {
  readonly type: 'MailRefused';
  readonly accountId: AccountId;
  readonly reference: string;
  readonly reason: string;
}

/** Limits of a message, in characters. Assumed: both. */
const MAIL_MAX = { subject: 255, text: 65_536 } as const;

/**
 * Time for attempts, and their largest number. Source: RFC 5321, section 4.5.4.1: the time to give up is at least 4 to 5 days. The longest wait
 * between two attempts is 10 minutes.
 */
const MAIL_RETRIES = { lifetimeMs: 4 * DAY_MS, attempts: 1_000 } as const;

/** Region of the outgoing messages. Source: botocore, `endpoints.json`: the service `chime` has one endpoint, in us-east-1. */
const REGION = 'us-east-1';

/** Control characters, separators of lines, and characters that reverse the direction of the text after them. */
const UNSAFE_IN_HEADER = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const UNSAFE_IN_TEXT = /[^\P{Cc}\n\t]/u;

/** Returns whether a text, such as the name of an account, may be part of a subject. */
export function isHeaderText(text: string): boolean {
  return !UNSAFE_IN_HEADER.test(text);
}

/**
 * Queues messages, each to one person. They are sent after the commit.
 *
 * @throws BadRequestException  an address is invalid, a subject is too long or has a line break or another control character, or a text is too
 *   long or has a control character
 * Writes: outgoing messages. Emits later: MailRefused, for each message that is not delivered.
 */
export async function queueMails(work: Pick<Work, 'tx' | 'now' | 'newId'>, mails: readonly NewMail[]): Promise<void> {
  mails.forEach(requireValid);
  const messages = mails.map(
    ({ accountId, reference, to, subject, text }): NewMessage => ({
      id: work.newId(),
      accountId,
      region: REGION,
      lane: laneOf('mail'),
      ordered: false,
      target: { kind: 'mail', to, subject, reference },
      sender: { service: 'chime.amazonaws.com', sourceArn: `arn:aws:chime::${accountId}:mail`, sourceAccount: accountId },
      body: text,
      createdAt: work.now,
      maximumAttempts: MAIL_RETRIES.attempts,
      expiresAt: instant(work.now + MAIL_RETRIES.lifetimeMs),
    }),
  );
  await work.tx.of(outgoing).addAll(messages);
}

/** Queues one message. See `queueMails`. */
export async function queueMail(work: Pick<Work, 'tx' | 'now' | 'newId'>, mail: NewMail): Promise<void> {
  await queueMails(work, [mail]);
}

function requireValid({ to, subject, text }: NewMail): void {
  if (!isMailAddress(to)) throw new AwsError('BadRequestException', 'The email address is invalid');
  if (subject.length > MAIL_MAX.subject || !isHeaderText(subject))
    throw new AwsError('BadRequestException', `The subject must have at most ${MAIL_MAX.subject} characters and no line break`);
  if (text.length > MAIL_MAX.text || UNSAFE_IN_TEXT.test(text))
    throw new AwsError('BadRequestException', `The text must have at most ${MAIL_MAX.text} characters and no control characters`);
}

/** Emits MailRefused for a message that was not delivered. */
export const refusedMail = subscription<OutgoingFailed>()(['OutgoingFailed'], async ({ emit }, { message, reason }) => {
  const { target, accountId } = message;
  if (target.kind !== 'mail') return;
  await emit<MailRefused>({ type: 'MailRefused', accountId, reference: target.reference, reason });
});

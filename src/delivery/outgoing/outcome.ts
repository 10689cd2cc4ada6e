/** Outcome of an attempt to send a message, and the decision whether the server tries again. */
import type { Instant } from '#core/instant.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ConnectionUse, FailureCode, OutgoingMessage } from '#services/kit/outgoing.ts';

/** Failed attempt. The message names the reason, without secrets and without anything that the receiver chose freely. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  /** The receiver reported that the target no longer exists. */
  readonly gone?: true;
  /** The receiver refused the authorization of this connection. */
  readonly refused?: ConnectionUse;
}

export type Outcome =
  /** `answer`: JSON for `OutgoingAnswered`. */
  | { readonly kind: 'sent'; readonly answer?: string }
  /** The server may try again, at the earliest after `retryAfterMs`. `exactWaitMs` replaces the usual wait. */
  | ({ readonly kind: 'retry'; readonly retryAfterMs?: number; readonly exactWaitMs?: number } & Failure)
  /** Another attempt cannot succeed. */
  | ({ readonly kind: 'failed' } & Failure)
  /** The message was not tried, because its target accepts no more messages now. */
  | { readonly kind: 'later'; readonly afterMs: number };

/** Condition that ended the retries, as in the attribute `EXHAUSTED_RETRY_CONDITION`. */
export type Exhausted = 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';

/** Decision about a message after an attempt. */
export type Next =
  | { readonly kind: 'remove'; readonly answer?: string }
  | { readonly kind: 'again'; readonly attempts: number; readonly dueAt: Instant }
  | { readonly kind: 'undeliverable'; readonly attempts: number; readonly failure: Failure; readonly exhausted?: Exhausted };

/** First and longest wait between two attempts. Half of a wait is random. Assumed: with 185 attempts, the last is close to 24 hours. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 600_000;

/** Returns the wait after a number of failed attempts. `fraction` is a random number from 0 to 1. */
export function waitMs(attempts: number, fraction: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20));
  return longest / 2 + (longest / 2) * fraction;
}

/**
 * Decides about a message after an attempt. Timeouts, 429 and 5xx are retried until the attempts or the time are exhausted. If the receiver
 * sent `Retry-After`, the longer wait counts, and a negative one ends the retries.
 *
 * Source: EventBridge User Guide, "How EventBridge retries delivering events" and "API destinations".
 */
export function nextOf(message: OutgoingMessage, outcome: Outcome, now: Instant, fraction: number): Next {
  if (outcome.kind === 'sent') return omitUndefined({ kind: 'remove' as const, answer: outcome.answer });
  const { expiresAt, maximumAttempts } = message;
  if (outcome.kind === 'later') {
    const dueAt = instant(now + outcome.afterMs);
    if (dueAt <= expiresAt) return { kind: 'again', attempts: message.attempts, dueAt };
    const failure: Failure = { code: 'THROTTLING', message: 'the target did not accept the message in time' };
    return { kind: 'undeliverable', attempts: message.attempts, failure, exhausted: 'MaximumEventAgeInSeconds' };
  }
  const attempts = message.attempts + 1;
  const failure: Failure = omitUndefined({ code: outcome.code, message: outcome.message, gone: outcome.gone, refused: outcome.refused });
  if (outcome.kind === 'failed' || (outcome.retryAfterMs ?? 0) < 0) return { kind: 'undeliverable', attempts, failure };
  if (attempts >= maximumAttempts) return { kind: 'undeliverable', attempts, failure, exhausted: 'MaximumRetryAttempts' };
  const wait = outcome.exactWaitMs ?? Math.max(waitMs(attempts, fraction), outcome.retryAfterMs ?? 0);
  const dueAt = instant(now + wait);
  if (dueAt > expiresAt) return { kind: 'undeliverable', attempts, failure, exhausted: 'MaximumEventAgeInSeconds' };
  return { kind: 'again', attempts, dueAt };
}

/** Sender of events to the HTTPS endpoints of bots of Amazon Chime. */
import { createHmac } from 'node:crypto';
import type { Connections } from '../../targets/connections.ts';
import type { Outcome } from '../outcome.ts';
import { outcomeOfError, outcomeOfStatus } from './failures.ts';
import { exchange } from './post.ts';

/** Source: Administration Guide, "Chat bot events sent to chat bots": an endpoint answers within 2 seconds. */
const REQUEST_MS = 2_000;
/** Waits after the first and the second failure. Source: as above. */
const WAITS_MS = [200, 400] as const;

export interface BotEvent {
  readonly url: string;
  readonly body: string;
  readonly token: string;
  /** Attempts before this one. */
  readonly attempts: number;
  readonly now: number;
  readonly allowInternal: boolean;
  readonly connections: Connections;
}

/**
 * Sends one event. Each attempt has its own timestamp and signature. Retried: a timeout, no connection, 5xx.
 *
 * Source: Administration Guide, "Chat bot events sent to chat bots". Assumed: other 2xx are a success, as 200 is, and a 4xx is not retried.
 */
export async function sendBotEvent({ url, body, token, attempts, now, allowInternal, connections }: BotEvent): Promise<Outcome> {
  const timestamp = new Date(now).toISOString();
  try {
    const { status } = await exchange({
      url: new URL(url),
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'chime-request-timestamp': timestamp,
        'chime-signature': botSignature(token, timestamp, body),
      },
      body,
      allowInternal,
      timeoutMs: REQUEST_MS,
      connections,
    });
    const outcome = outcomeOfStatus(status);
    if (outcome.kind === 'retry' && status < 500) return { kind: 'failed', code: outcome.code, message: outcome.message };
    return waitsOf(outcome, attempts);
  } catch (error) {
    return waitsOf(outcomeOfError(error), attempts);
  }
}

/** Returns the signature of a request. Source: Administration Guide, "Authenticating chat bot requests". */
export function botSignature(token: string, timestamp: string, body: string): string {
  return createHmac('sha256', token).update(`${timestamp}|${body}`).digest('base64');
}

function waitsOf(outcome: Outcome, attempts: number): Outcome {
  return outcome.kind === 'retry' ? { ...outcome, exactWaitMs: WAITS_MS[attempts] ?? WAITS_MS[1] } : outcome;
}

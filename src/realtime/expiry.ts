import type { Instant } from '#core/instant.ts';
import { CLOSINGS, type Closing } from './protocol.ts';
import type { Session, Sessions } from './sessions.ts';

/** Maximum delay that `setTimeout` supports, in milliseconds. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Returns a function that starts the timer that closes a session when the session's credentials expire. A second call
 * for the same session replaces the timer. If the credentials have expired already, the function starts no timer and
 * returns the reason to close the session.
 */
export function expiryTimers(
  sessions: Pick<Sessions, 'has'>,
  now: () => Instant,
  close: (sessions: readonly Session[], closing: Closing) => void,
): (session: Session, expiresAt: Instant) => Closing | undefined {
  function expires(session: Session, expiresAt: Instant): Closing | undefined {
    if (!sessions.has(session)) return undefined;
    const left = expiresAt - now();
    if (left <= 0) return CLOSINGS.expired;
    clearTimeout(session.expiry);
    session.expiry = setTimeout(
      () => {
        const closing = expires(session, expiresAt);
        if (closing !== undefined) close([session], closing);
      },
      Math.min(left, TIMER_MAX_MS),
    );
    return undefined;
  }
  return expires;
}

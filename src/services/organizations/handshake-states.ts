/**
 * What an invitation is at a moment, and how it comes from one state to another.
 */
import type { Instant } from '#core/instant.ts';
import type { HandshakeState } from '#model/generated/organizations.ts';
import type { HandshakeRecord } from '#store/organization-records.ts';
import type { Call } from '../operation.ts';
import { refusal } from './refusals.ts';

/** Source: organizations 2016-11-28, Handshake: an invitation expires after 15 days. */
export const HANDSHAKE_LIFE_MS = 15 * 24 * 60 * 60_000;

export function stateOf(handshake: HandshakeRecord, now: Instant): HandshakeState {
  return handshake.state === 'OPEN' && now >= handshake.expiresAt ? 'EXPIRED' : handshake.state;
}

/**
 * Ends an open handshake.
 *
 * @throws AwsError HandshakeAlreadyInStateException    it has ended so before
 * @throws AwsError InvalidHandshakeTransitionException it has ended otherwise
 */
export async function end(call: Call, handshake: HandshakeRecord, state: 'ACCEPTED' | 'DECLINED' | 'CANCELED'): Promise<HandshakeRecord> {
  const before = stateOf(handshake, call.now);
  if (before === state) throw refusal('HandshakeAlreadyInStateException');
  if (before !== 'OPEN') throw refusal('InvalidHandshakeTransitionException');
  const ended: HandshakeRecord = { ...handshake, state };
  await call.tx.identity.put(handshake.accountId, 'handshake', handshake.handshakeId, ended);
  return ended;
}

/** Of the calling management account. */
export async function cancelOpenHandshakes(call: Call): Promise<void> {
  for (const { record } of await call.tx.identity.list(call.accountId, 'handshake')) {
    if (stateOf(record, call.now) === 'OPEN') await end(call, record, 'CANCELED');
  }
}

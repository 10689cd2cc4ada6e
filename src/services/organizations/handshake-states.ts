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

/** Source: organizations 2016-11-28, ListHandshakesForOrganization: a handshake that has ended is shown for 30 days. Assumed: counted from its expiry. */
const SHOWN_MS = 30 * 24 * 60 * 60_000;

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
  for (const handshake of await openHandshakes(call)) await end(call, handshake, 'CANCELED');
}

/** Those of the calling management account that are open; such as are no longer shown are taken out for good. */
export async function openHandshakes(call: Call): Promise<HandshakeRecord[]> {
  const { tx, accountId, now } = call;
  const open: HandshakeRecord[] = [];
  for (const { key, record } of await tx.identity.list(accountId, 'handshake')) {
    if (stateOf(record, now) === 'OPEN') open.push(record);
    if (now < record.expiresAt + SHOWN_MS) continue;
    await tx.identity.remove(accountId, 'handshake', key);
    await tx.identity.remove(record.invitedId, 'invitation', key);
  }
  return open;
}

/**
 * States of an invitation, and the transitions between them.
 */
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import type { HandshakeState } from '#model/generated/organizations.ts';
import type { HandshakeRecord } from '#store/identity/organization-records.ts';
import type { Call } from '../kit/operation.ts';
import { sampleOf } from './expired.ts';
import { newHandshakeId } from './names.ts';
import { refusal } from './refusals.ts';

/** Lifetime of an open invitation: 15 days. Source: organizations 2016-11-28, Handshake. */
export const HANDSHAKE_LIFE_MS = 15 * DAY_MS;

/**
 * Time for which an ended invitation remains visible: 30 days. Source: organizations 2016-11-28, ListHandshakesForOrganization.
 * Assumed: the 30 days start at the expiration time of the invitation.
 */
const VISIBLE_MS = 30 * DAY_MS;

/** Returns the current state. An open handshake past its expiration time is EXPIRED. */
export function stateOf(handshake: HandshakeRecord, now: Instant): HandshakeState {
  return handshake.state === 'OPEN' && now >= handshake.expiresAt ? 'EXPIRED' : handshake.state;
}

/**
 * Ends an open handshake.
 *
 * @throws HandshakeAlreadyInStateException     the handshake is already in this state
 * @throws InvalidHandshakeTransitionException  the handshake has ended in another state
 */
export async function endHandshake(
  call: Call,
  handshake: HandshakeRecord,
  state: 'ACCEPTED' | 'DECLINED' | 'CANCELED',
): Promise<HandshakeRecord> {
  const before = stateOf(handshake, call.now);
  if (before === state) throw refusal('HandshakeAlreadyInStateException');
  if (before !== 'OPEN') throw refusal('InvalidHandshakeTransitionException');
  const ended: HandshakeRecord = { ...handshake, state };
  await call.tx.identity.put(handshake.accountId, 'handshake', handshake.handshakeId, ended);
  await call.tx.identity.remove(handshake.accountId, 'open-handshake', handshake.handshakeId);
  return ended;
}

/** Cancels all open invitations of the calling management account. */
export async function cancelOpenHandshakes(call: Call): Promise<void> {
  for (const handshake of await openHandshakes(call)) await endHandshake(call, handshake, 'CANCELED');
}

/**
 * Returns the open invitations of the calling management account.
 *
 * Writes: in a random sample of the invitations, deletes the invitations that are no longer visible. Also removes
 * expired invitations from the list of open invitations.
 */
export async function openHandshakes(call: Call): Promise<HandshakeRecord[]> {
  const { tx, accountId, now } = call;
  for (const { key, record } of await sampleOf(call, 'handshake', newHandshakeId(call.random))) {
    if (now < record.expiresAt + VISIBLE_MS) continue;
    await tx.identity.remove(accountId, 'handshake', key);
    await tx.identity.remove(accountId, 'open-handshake', key);
    await tx.identity.remove(record.invitedId, 'invitation', key);
  }
  const open: HandshakeRecord[] = [];
  for (const { key } of await tx.identity.list(accountId, 'open-handshake')) {
    const handshake = await tx.identity.get(accountId, 'handshake', key);
    if (handshake !== undefined && stateOf(handshake, now) === 'OPEN') open.push(handshake);
    else await tx.identity.remove(accountId, 'open-handshake', key);
  }
  return open;
}

import type { Tx } from '#store/store.ts';
import { type EndedSession, personSessions } from './tables/people.ts';

/**
 * Ends the credentials of sessions. The call returns after every server has applied the end, because it withdraws permissions
 * (Decision 0011).
 */
export async function endCredentials(tx: Tx, sessions: readonly EndedSession[]): Promise<void> {
  for (const { credentials } of sessions) {
    if (credentials !== undefined) await tx.identity.remove(credentials.accountId, 'person-sign-in', credentials.signInId);
  }
}

/**
 * Ends the credentials of the members of a Chime account, because the rules of its sign-in changed. A person that can still sign in gets new ones
 * with their session.
 */
export async function endCredentialsOfAccount(tx: Tx, chimeAccountId: string): Promise<void> {
  await endCredentials(tx, await tx.of(personSessions).credentialsOfAccount(chimeAccountId));
}

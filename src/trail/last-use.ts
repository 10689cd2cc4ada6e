import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { Tx } from '#store/store.ts';

/** One signed request, allowed or refused. */
export interface Use {
  readonly principal: Principal;
  readonly accessKeyId?: string;
  /** `chime:CreateMeeting`: what was asked for. */
  readonly action: string;
  readonly region: string;
  readonly now: Instant;
}

/**
 * How exact a last use is. Source: IAM User Guide, credential reports and last accessed information. Requirement COMP-1: 15 minutes.
 */
const GRAIN_MS = 15 * 60_000;

/** Uses remembered as noted; beyond it the oldest are noted again. */
const REMEMBERED = 100_000;

/**
 * Makes what notes the last uses of keys and principals, in the transaction that records the request, and each at most once in a
 * quarter of an hour: what was noted lately costs a look into a map. Attempts that were refused count. Requirement COMP-2.
 *
 * Writes: `tx.lastUses`.
 */
export function lastUseNotes(remembered = REMEMBERED): (tx: Tx, use: Use) => Promise<void> {
  const notedIn = new Map<string, number>();

  async function note(tx: Tx, accountId: AccountId, holder: string, { action, region, now }: Use, each: 'action' | 'key'): Promise<void> {
    const grain = Math.floor(now / GRAIN_MS);
    const key = each === 'key' ? holder : `${holder} ${action}`;
    if (notedIn.get(key) === grain) return;
    const colon = action.indexOf(':');
    const name = each === 'key' ? '' : action.slice(colon + 1);
    await tx.lastUses.note(accountId, { holder, service: action.slice(0, colon), action: name, at: now, region });
    tx.afterCommit(() => {
      notedIn.delete(key);
      notedIn.set(key, grain);
      if (notedIn.size > remembered) notedIn.delete(notedIn.keys().next().value as string);
    });
  }

  return async (tx, use) => {
    const { principal, accessKeyId } = use;
    const holder = holderOf(principal);
    if (holder !== undefined) await note(tx, principal.accountId, holder, use, 'action');
    // Keys of sessions live too briefly to be asked about.
    if (accessKeyId?.startsWith('AKIA')) await note(tx, principal.accountId, accessKeyId, use, 'key');
  };
}

/** The unique id under which a principal's uses are kept: a session's are its role's, or of who asked for it. */
function holderOf(principal: Principal): string | undefined {
  switch (principal.type) {
    case 'Root':
    case 'IAMUser':
      return principal.principalId;
    case 'AssumedRole':
      return principal.roleId;
    case 'FederatedUser':
      return principal.issuerId;
    case 'AWSService':
    case 'Unknown':
      return undefined;
  }
}

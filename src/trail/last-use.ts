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
 * quarter of an hour: what was noted lately costs a look into a map, and answers undefined. Attempts that were refused count. Requirement COMP-2.
 *
 * Writes: `tx.lastUses`.
 */
export function lastUseNotes(remembered = REMEMBERED): (tx: Tx, use: Use) => Promise<void> | undefined {
  const notedIn = new Map<string, number>();

  function isNoted(key: string, now: Instant): boolean {
    return notedIn.get(key) === Math.floor(now / GRAIN_MS);
  }

  async function note(tx: Tx, key: string, holder: string, name: string, { principal, action, region, now }: Use): Promise<void> {
    if (isNoted(key, now)) return;
    await tx.lastUses.note(principal.accountId, { holder, service: action.slice(0, action.indexOf(':')), action: name, at: now, region });
    tx.afterCommit(() => {
      notedIn.delete(key);
      notedIn.set(key, Math.floor(now / GRAIN_MS));
      if (notedIn.size > remembered) notedIn.delete(notedIn.keys().next().value as string);
    });
  }

  return (tx, use) => {
    const { accessKeyId, action, now } = use;
    const holder = holderOf(use.principal);
    if (holder === undefined) return undefined;
    const ofAction = `${holder} ${action}`;
    // Keys of sessions live too briefly to be asked about.
    const ofKey = accessKeyId?.startsWith('AKIA') ? accessKeyId : undefined;
    if (isNoted(ofAction, now) && (ofKey === undefined || isNoted(ofKey, now))) return undefined;
    return (async () => {
      await note(tx, ofAction, holder, action.slice(action.indexOf(':') + 1), use);
      if (ofKey !== undefined) await note(tx, ofKey, ofKey, '', use);
    })();
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

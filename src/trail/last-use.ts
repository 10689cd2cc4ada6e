import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal } from '#core/principal.ts';
import type { Tx } from '#store/store.ts';

/** One signed request, allowed or denied. */
export interface Use {
  readonly principal: Principal;
  readonly accessKeyId?: string;
  /** Requested action: `chime:CreateMeeting`. */
  readonly action: string;
  readonly region: string;
  readonly now: Instant;
}

/**
 * Precision of the time of a last use. Source: IAM User Guide, credential reports and last accessed information.
 * Requirement COMP-1: 15 minutes.
 */
const PRECISION_MS = 15 * 60_000;

/**
 * Maximum number of entries in the cache of written uses. A new entry replaces the entry that was read least recently.
 * The use in the replaced entry may be written again in the same quarter of an hour.
 */
const CACHED_MAX = 100_000;

/**
 * Creates the function that records the last uses of access keys and principals, in the transaction that records the request.
 *
 * Each use is written at most once in each quarter of an hour. If a use was already written, the function only reads
 * its cache and returns `undefined`. Denied requests also count as uses. Requirement COMP-2.
 *
 * Writes: `tx.lastUses`.
 */
export function lastUseRecorder(cachedMax = CACHED_MAX): (tx: Tx, use: Use) => Promise<void> | undefined {
  const writtenIn = lruMap<string, number>(cachedMax);

  function isWritten(key: string, now: Instant): boolean {
    return writtenIn.get(key) === Math.floor(now / PRECISION_MS);
  }

  async function write(tx: Tx, key: string, holder: string, name: string, { principal, action, region, now }: Use): Promise<void> {
    if (isWritten(key, now)) return;
    await tx.lastUses.note(principal.accountId, { holder, service: action.slice(0, action.indexOf(':')), action: name, at: now, region });
    tx.afterCommit(() => writtenIn.set(key, Math.floor(now / PRECISION_MS)));
  }

  return (tx, use) => {
    const { accessKeyId, action, now } = use;
    const holder = holderOf(use.principal);
    if (holder === undefined) return undefined;
    const ofAction = `${holder} ${action}`;
    // Access keys of sessions are not recorded, because they expire soon and no API reports their use.
    const ofKey = accessKeyId?.startsWith('AKIA') ? accessKeyId : undefined;
    if (isWritten(ofAction, now) && (ofKey === undefined || isWritten(ofKey, now))) return undefined;
    return (async () => {
      await write(tx, ofAction, holder, action.slice(action.indexOf(':') + 1), use);
      if (ofKey !== undefined) await write(tx, ofKey, ofKey, '', use);
    })();
  };
}

/**
 * Returns the unique ID under which the uses of a principal are stored. For a role session, returns the ID of the role.
 * For a federated user, returns the ID of the principal that called GetFederationToken.
 */
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

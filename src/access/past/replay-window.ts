import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal } from '#core/principal.ts';
import { positionAt } from '#store/engine/position.ts';
import type { Sql } from '#store/sql.ts';
import type { DecisionContext, PermissionContext } from '#store/trail/decision-context.ts';
import {
  type DecisionsPack,
  type DecisionsPage,
  type DecisionsPlace,
  decidedRecords,
  decisionsAfter,
  documentOf,
  placeBefore,
} from '#store/trail/trail-decisions.ts';
import type { RecordFacts } from '#store/trail/trail-heads.ts';
import { trailPolicies } from '#store/trail/trail-policy.ts';
import { trailSessions } from '#store/trail/trail-session.ts';
import { principalOfSession, principalOfText } from '../stored-callers.ts';
import { isAbsent, testsKey } from './kept-keys.ts';
import { PRESENT } from './past-identity.ts';
import { checkedPolicies, FactNotKept, type KeptPolicy, KeyNotKept, type ProposedFacts, requestOf } from './past-request.ts';
import { type Proposal, proposal as proposalOf } from './proposal.ts';
import { type ReplayDecisions, replayDecisions } from './replay.ts';
import { requestCopies } from './request-copies.ts';
import { type WindowIdentity, windowIdentity } from './window-identity.ts';

/** Records to replay: those of accounts, or of all accounts, from a time until before another time. */
export interface ReplayWindow {
  readonly accountIds: ReadonlySet<AccountId> | undefined;
  readonly from: Instant;
  readonly to: Instant;
}

/** Decision that the proposal changes. */
export interface Flip extends Replayed {
  /** Whether the proposal allows the request, or the permissions in `parts`. They were decided otherwise. */
  readonly allowed: boolean;
  /** Permissions for parts of the result that were denied, and that the proposal allows. Absent if the decision about the request flips. */
  readonly parts: readonly PermissionContext[] | undefined;
}

/** Recorded decision, and the decision with the proposal. */
export interface Replayed {
  readonly facts: RecordFacts;
  readonly principal: Principal;
  readonly context: DecisionContext;
  /** Identity of the decision. Absent before the first decision that can be repeated. */
  readonly identity: WindowIdentity | undefined;
  /** Whether the proposal allows the request. Absent if the decision cannot be repeated. */
  readonly allowed: boolean | undefined;
}

/** Record without the facts of a decision. */
export interface WithoutFacts {
  readonly facts: RecordFacts;
  /** Whether the facts are too large to be stored. Otherwise no policy decided. */
  readonly isTooLarge: boolean;
  /** Reads the record as JSON. */
  readonly document: () => Promise<string>;
}

/** Counts of a replay. */
export interface ReplayCounts {
  /** Records of the window, also those without a decision. A request with records in two accounts of the window counts once. */
  records: number;
  /** Records whose decision was repeated. */
  decided: number;
  flipped: number;
  /** Records whose decision cannot be repeated, by reason. */
  readonly unknown: Map<string, number>;
}

/** Maximum number of callers that stay parsed. A month can have millions of role sessions. */
const CALLERS_MAX = 10_000;

/** Proposal that changes nothing. */
const NOTHING = proposalOf([]);

const NO_KEYS: ReadonlySet<string> = new Set();

/** Reason for a record without all facts of its decisions. */
const TOO_LARGE = 'the facts of the decision are too large to be stored';

/** Number of packs that one statement reads. The decisions of their records can use as many policies, which stay in memory until the next read. */
const PACKS = 64;

/**
 * Decides the requests of a window again as if a proposal had been made, each with identity as of its decision. Calls `onFlip` for each
 * decision that differs from the recorded one, and `onRecord` for each record with the facts of its decision and a known caller. Calls
 * `onWithoutFacts` for each record whose facts are too large to be stored, whole or in part, or about which no policy decided. At the end, reads
 * identity up to now, because the proposal can name records that were created after the last decision.
 *
 * @throws RangeError   identity as of the first decision is not kept any more
 * @throws AlteredFact  someone altered a session or a resource-based policy in the database
 */
export async function replayWindow(
  sql: Sql,
  allAccounts: readonly AccountId[],
  { accountIds, from, to }: ReplayWindow,
  proposal: Proposal,
  onFlip: (flip: Flip) => void,
  onRecord?: (replayed: Replayed) => void,
  onWithoutFacts?: (record: WithoutFacts) => Promise<void>,
): Promise<ReplayCounts> {
  const counts: ReplayCounts = { records: 0, decided: 0, flipped: 0, unknown: new Map() };
  const callers = callersIn(sql);
  const copies = requestCopies(accountIds);
  const kept = checkedPolicies(trailPolicies(sql).text);
  const wasRead = keysReadThen(sql, allAccounts, kept);
  let identity: WindowIdentity | undefined;
  let decisions: ReplayDecisions | undefined;
  let firstVersion: number;

  function note(facts: RecordFacts, context: DecisionContext, principal: Principal, allowed: boolean, parts?: Flip['parts']): void {
    const isFlip = allowed !== (context.outcome.effect === 'Allow') || parts !== undefined;
    if (isFlip || context.omitted === undefined) {
      counts.decided++;
      onRecord?.({ facts, principal, context, identity, allowed });
    } else leave(facts, context, principal, TOO_LARGE);
    if (!isFlip) return;
    counts.flipped++;
    onFlip({ facts, principal, context, identity, allowed, parts });
  }

  /** Counts a record whose decision cannot be repeated. */
  function leave(facts: RecordFacts, context: DecisionContext, principal: Principal, reason: string): void {
    countUnknown(counts, reason);
    onRecord?.({ facts, principal, context, identity, allowed: undefined });
  }

  /** Decides a record again. Returns a promise only if the decision reads facts, because a promise takes as long as a decision. */
  function replay(facts: RecordFacts, context: DecisionContext, principal: Principal): Promise<void> | undefined {
    const failed = (error: unknown): undefined | Promise<void> => {
      if (error instanceof KeyNotKept) return replayWithKeys(facts, context, principal, error);
      if (!(error instanceof FactNotKept)) throw error;
      leave(facts, context, principal, error.message);
      return undefined;
    };
    try {
      const proposed = proposedFacts(proposal, context, principal, NO_KEYS);
      if (context.denied !== undefined) {
        const decidingParts = decideParts(decisions as ReplayDecisions, context, principal, proposed);
        return decidingParts.then((decided) => note(facts, context, principal, ...decided), failed);
      }
      const deciding = (decisions as ReplayDecisions).decide(context, principal, proposed);
      if (deciding instanceof Promise) return deciding.then((allowed) => note(facts, context, principal, allowed), failed);
      note(facts, context, principal, deciding);
      return undefined;
    } catch (error) {
      return failed(error);
    }
  }

  /** Decides a record again whose proposed policies test keys that only some records have. `first` is the first of these keys. */
  async function replayWithKeys(facts: RecordFacts, context: DecisionContext, principal: Principal, first: KeyNotKept): Promise<void> {
    const known = new Set<string>();
    try {
      for (let missing = first; ; ) {
        if (!(await wasRead(firstVersion, context, principal, missing))) throw missing;
        known.add(missing.key);
        try {
          const proposed = proposedFacts(proposal, context, principal, known);
          note(facts, context, principal, ...(await decideParts(decisions as ReplayDecisions, context, principal, proposed)));
          return;
        } catch (error) {
          if (!(error instanceof KeyNotKept)) throw error;
          missing = error;
        }
      }
    } catch (error) {
      if (!(error instanceof FactNotKept)) throw error;
      leave(facts, context, principal, error.message);
    }
  }

  /** Prepares identity for a record. Returns the reason why its decision cannot be repeated, or `undefined`. */
  async function advance({ identityVersion, identityChanged }: DecisionContext): Promise<string | undefined> {
    if (identityChanged) return 'identity changed during the request';
    if (identity === undefined) {
      firstVersion = identityVersion;
      identity = await windowIdentity(sql, allAccounts, firstVersion, proposal);
      decisions = replayDecisions(identity, kept);
    }
    return identity.advance(identityVersion) ? undefined : 'another server decided with an earlier version of identity';
  }

  /** Decides the records of a pack again. */
  async function replayPack(pack: DecisionsPack): Promise<void> {
    const { facts: records, contexts } = decidedRecords(pack);
    for (let i = 0; i < records.length; i++) {
      const facts = records[i] as RecordFacts;
      if (accountIds !== undefined && !accountIds.has(facts.accountId)) continue;
      const context = contexts[i];
      if (context === undefined) {
        counts.records++;
        countUnknown(counts, 'no policy decided');
        await onWithoutFacts?.({ facts, isTooLarge: false, document: () => documentIn(sql, pack, i) });
        continue;
      }
      const found = 'omittedBytes' in context ? undefined : callers(context);
      const caller = found instanceof Promise ? await found : found;
      if (caller?.accountId !== facts.accountId && copies.isCopy(records, i)) continue;
      counts.records++;
      if ('omittedBytes' in context) {
        countUnknown(counts, TOO_LARGE);
        await onWithoutFacts?.({ facts, isTooLarge: true, document: () => documentIn(sql, pack, i) });
      } else {
        const reason = !context.identityChanged && identity?.advance(context.identityVersion) ? undefined : await advance(context);
        if (caller === undefined) countUnknown(counts, 'the session of the caller is not stored');
        else if (reason !== undefined) leave(facts, context, caller, reason);
        else {
          const replaying = replay(facts, context, caller);
          if (replaying !== undefined) await replaying;
          if (context.omitted !== undefined) await onWithoutFacts?.({ facts, isTooLarge: true, document: () => documentIn(sql, pack, i) });
        }
      }
    }
    copies.noteRead(records);
  }

  await eachPack(sql, from, to, replayPack);
  (identity as WindowIdentity | undefined)?.advance(PRESENT);
  return counts;
}

/** Calls `work` for each pack of a time range, one after the other. */
async function eachPack(sql: Sql, from: Instant, to: Instant, work: (pack: DecisionsPack) => Promise<void>): Promise<void> {
  const end = positionAt(to);
  for (let place: DecisionsPlace | undefined = placeBefore(positionAt(from)); place !== undefined; ) {
    const page: DecisionsPage = await decisionsAfter(sql, place, end, PACKS);
    for (const pack of page.packs) await work(pack);
    place = page.place;
  }
}

/** Decides a request again, and the parts of its result that were denied. */
async function decideParts(
  { decide, allowedOfDenied }: ReplayDecisions,
  context: DecisionContext,
  principal: Principal,
  proposed: ProposedFacts | undefined,
): Promise<readonly [allowed: boolean, parts: Flip['parts']]> {
  const allowed = await decide(context, principal, proposed);
  if (!allowed || context.denied === undefined) return [allowed, undefined];
  const parts = await allowedOfDenied(context, principal, proposed);
  return [allowed, parts.length === 0 ? undefined : parts];
}

function countUnknown({ unknown }: ReplayCounts, reason: string): void {
  unknown.set(reason, (unknown.get(reason) ?? 0) + 1);
}

async function documentIn(sql: Sql, pack: DecisionsPack, index: number): Promise<string> {
  return (await documentOf(sql, pack, index)) ?? '{}';
}

/** Returns the facts that a proposal changes. `known` has the keys that are known to have the recorded value. */
function proposedFacts(
  { resourcePolicyOf }: Proposal,
  context: DecisionContext,
  principal: Principal,
  known: ReadonlySet<string>,
): ProposedFacts | undefined {
  if (resourcePolicyOf === undefined) return undefined;
  return {
    resourcePolicyOf,
    requireKept(key, action) {
      if (!known.has(key) && !isAbsent(context, principal, key)) throw new KeyNotKept(key, action);
    },
  };
}

/**
 * Returns the function that reports whether the policies of then test a key, so that the record has its value. It reads identity without the proposal,
 * as of the first version of the window. Few replays need it.
 */
function keysReadThen(sql: Sql, allAccounts: readonly AccountId[], kept: KeptPolicy) {
  let unchanged: WindowIdentity | undefined;
  return async (firstVersion: number, context: DecisionContext, principal: Principal, { key, action }: KeyNotKept): Promise<boolean> => {
    unchanged ??= await windowIdentity(sql, allAccounts, firstVersion, NOTHING);
    unchanged.advance(context.identityVersion);
    return await testsKey(unchanged, requestOf(context, principal, kept), action, key);
  };
}

/** Returns the function that returns the caller of a context: the same object for the same caller, so that its facts are cached. */
function callersIn(sql: Sql): (context: DecisionContext) => Principal | undefined | Promise<Principal | undefined> {
  const known = lruMap<string, Principal>(CALLERS_MAX);
  return ({ caller }) => {
    const text = 'principal' in caller ? caller.principal : caller.session;
    const found = known.get(text);
    if (found !== undefined) return found;
    if ('principal' in caller) {
      const principal = principalOfText(text);
      known.set(text, principal);
      return principal;
    }
    return trailSessions(sql)
      .get(text)
      .then((session) => {
        const principal = session && principalOfSession(session);
        if (principal !== undefined) known.set(text, principal);
        return principal;
      });
  };
}

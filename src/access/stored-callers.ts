/**
 * Callers in decision contexts. The context of a caller without a session contains the principal. A session has many
 * facts, so it is stored once (`trail-session.ts`), and contexts contain its ID. Neither contains secrets. Decision 0023.
 */
import { hash } from 'node:crypto';
import type { AccountId, Arn } from '#core/arn.ts';
import type { ConditionContext } from '#core/condition-context.ts';
import type { Federation } from '#core/federation.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import type { Tx } from '#store/store.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { type TrailSession, trailSessions } from '#store/trail/trail-session.ts';

/** Maximum number of sessions that a server remembers as stored. Each takes about 200 bytes. */
const SESSIONS_MAX = 10_000;

/** Number of hexadecimal digits in the ID of a session. */
const ID_DIGITS = 32;

/** Caller of a decision context. `session` is present if the caller has a session. */
export interface StoredCaller {
  readonly caller: DecisionContext['caller'];
  readonly session: TrailSession | undefined;
}

/** Stores the callers of one server's decision contexts. */
export interface StoredCallers {
  /** Returns the caller of a context. Returns the same object for the same principal. */
  of(principal: Principal): StoredCaller;
  /**
   * Stores the session of a caller. Returns `undefined` if the caller has none, or if this server has already stored
   * it.
   */
  note(tx: Tx, caller: StoredCaller): Promise<void> | undefined;
}

/** Creates the stored callers of a server. */
export function storedCallers(): StoredCallers {
  const known = new WeakMap<Principal, StoredCaller>();
  const stored = lruMap<string, true>(SESSIONS_MAX);

  async function write(tx: Tx, session: TrailSession): Promise<void> {
    await tx.of(trailSessions).note(session);
    tx.afterCommit(() => stored.set(session.id, true));
  }

  return {
    of(principal) {
      let caller = known.get(principal);
      if (caller === undefined) known.set(principal, (caller = storedCaller(principal)));
      return caller;
    },
    note(tx, { session }) {
      if (session === undefined || stored.get(session.id) !== undefined) return undefined;
      return write(tx, session);
    },
  };
}

function storedCaller(principal: Principal): StoredCaller {
  const { session, ...rest } = principal;
  if (session === undefined) return { caller: { principal: principalText(rest) }, session: undefined };
  const facts = JSON.stringify([principalText(rest), sessionToJson(session)]);
  const id = idOf(facts);
  return { caller: { session: id }, session: { id, facts, expiresAt: session.expiresAt } };
}

/** Returns the ID of a session: a hash of its facts. */
function idOf(facts: string): string {
  return hash('sha256', facts, 'hex').slice(0, ID_DIGITS);
}

/** A stored session or resource-based policy does not have the hash that decision contexts name: someone altered it in the database. */
export class AlteredFact extends Error {}

/**
 * Returns the principal of a session from the facts that `TrailSession` contains.
 *
 * @throws AlteredFact  the ID is not the hash of the facts
 */
export function principalOfSession({ id, facts }: Pick<TrailSession, 'id' | 'facts'>): Principal {
  if (idOf(facts) !== id) throw new AlteredFact(`the stored session '${id}' was altered in the database`);
  const [principal, session] = JSON.parse(facts) as [string, SessionJson];
  return { ...principalOfText(principal), session: sessionFromJson(session) } as Principal;
}

/** Members of each type of principal, in the order of the text. The session is separate. */
// biome-ignore format: a table
const MEMBERS = {
  Root:          ['accountId', 'arn', 'principalId'],
  IAMUser:       ['accountId', 'arn', 'principalId', 'userName'],
  AssumedRole:   ['accountId', 'arn', 'principalId', 'roleArn', 'roleId', 'roleName', 'sessionName'],
  FederatedUser: ['accountId', 'arn', 'principalId', 'userName', 'issuerArn', 'issuerId'],
  AWSService:    ['accountId', 'arn', 'principalId', 'service'],
} as const satisfies Partial<Record<Principal['type'], readonly string[]>>;

/**
 * Returns a principal as text, without its session.
 *
 * The text of an unsigned request has only the provider, its issuer and the kind of its token. Decisions read no other
 * facts of the token, except those that the operation adds as condition keys.
 */
function principalText(principal: Omit<Principal, 'session'>): string {
  const { type } = principal;
  if (type === 'Unknown') {
    const { accountId, arn, federation } = principal as Principal & { type: 'Unknown' };
    const provider = federation === undefined ? [] : [federation.kind, federation.provider, federation.issuer];
    return JSON.stringify([type, accountId, arn, ...provider]);
  }
  const values = principal as unknown as Readonly<Record<string, string>>;
  return JSON.stringify([type, ...MEMBERS[type].map((name) => values[name])]);
}

/** Returns a principal without a session from its text in a decision context. */
export function principalOfText(text: string): Principal {
  const [type, ...values] = JSON.parse(text) as [Principal['type'], ...string[]];
  if (type !== 'Unknown') {
    return { type, ...Object.fromEntries(MEMBERS[type].map((name, i) => [name, values[i]])) } as unknown as Principal;
  }
  const [accountId, arn, kind, provider, issuer] = values as [AccountId, Arn, ...string[]];
  const federation = kind === undefined ? {} : { federation: { kind, provider, issuer } as unknown as Federation };
  return { type, accountId, arn, principalId: '', ...federation };
}

/** Session as JSON: the condition keys of the provider's token are a list instead of a map. */
type SessionJson = Omit<SessionFacts, 'federatedContext'> & {
  readonly federatedContext?: readonly (readonly [key: string, value: string | readonly string[]])[];
};

function sessionToJson({ federatedContext, ...session }: SessionFacts): SessionJson {
  return federatedContext === undefined ? session : { ...session, federatedContext: [...federatedContext] };
}

function sessionFromJson({ federatedContext, ...session }: SessionJson): SessionFacts {
  return federatedContext === undefined ? session : { ...session, federatedContext: new Map(federatedContext) as ConditionContext };
}

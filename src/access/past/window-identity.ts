import { type AccountId, type Arn, accountIdOf } from '#core/arn.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import { identityAt, identityChangesAfter, type PastChange, type PastKind } from '#store/identity/identity-history.ts';
import type { Sql } from '#store/sql.ts';
import { managedPolicyDocument } from '../managed.ts';
import { newSnapshot } from '../snapshot.ts';
import { newStacks } from '../stacks.ts';
import type { PastIdentity } from './past-identity.ts';
import { type Proposal, ProposalError } from './proposal.ts';

/** Identity that advances through the versions of a window, with a proposal applied to each record. */
export interface WindowIdentity extends PastIdentity {
  /** Applies the changes up to a version. Returns false if identity is at a later version already. */
  advance(version: number): boolean;
}

/** Number of records that one statement reads. */
const PAGE = 1_000;

/**
 * Reads the identity of accounts as of a version, and all later changes. Keeps them in memory, so it is for commands, and not for the server.
 *
 * @throws RangeError     the version is not kept any more
 * @throws ProposalError  the proposal attaches a policy that does not exist, or adds one that IAM would not create or that has no effect
 */
export async function windowIdentity(
  sql: Sql,
  accountIds: readonly AccountId[],
  version: number,
  { attached, controlled, apply, added }: Proposal,
): Promise<WindowIdentity> {
  const names = new Set([...attached].map(attachedName));
  const isAttached = (change: PastChange): boolean => names.has(nameOf(change));
  /** Stored records of the units and accounts in `controlled`, by ID. */
  const targets = new Map<string, PastChange>();
  const withProposal = (change: PastChange): PastChange => {
    const { kind, key, accountId, text } = change;
    if (isTarget(kind) && controlled.has(key)) targets.set(key, change);
    return text === undefined ? change : { ...change, text: apply(kind, accountId, text) };
  };
  const stored = identityAt({ sql }, version);
  const snapshot = newSnapshot();
  const load = snapshot.reload();
  for (const accountId of accountIds) {
    for (let after: { readonly kind: PastKind; readonly key: string } | undefined, more = true; more; ) {
      const page = await stored.page(accountId, PAGE, after);
      load.add(page.map((record) => ({ ...record, text: withProposal({ ...record, version }).text as string })));
      after = page.at(-1);
      more = page.length === PAGE;
    }
  }
  load.complete(version);
  const changes = await identityChangesAfter({ sql }, version);
  const created = new Map(
    changes.flatMap((change) =>
      change.kind === 'policy' && change.text !== undefined ? [[nameOf(change), arnOf(change.text)] as const] : [],
    ),
  );
  const nameOwner = (policy: Arn): string | undefined => {
    const key = policy.slice(policy.lastIndexOf('/') + 1).toLowerCase();
    return snapshot.record(accountIdOf(policy) as AccountId, 'policy', key)?.arn ?? created.get(attachedName(policy));
  };
  const arns = new Set(created.values());
  const news = added((arn) => snapshot.policy(arn) !== undefined || arns.has(arn), nameOwner);
  snapshot.apply(
    version,
    news.map((each) => ({ ...each, kind: 'policy' as const, version })),
  );
  // A policy that the proposal attaches exists in the whole window, also if it was created or deleted in the window.
  const early = new Map<string, PastChange>();
  for (const change of changes)
    if (change.text !== undefined && isAttached(change) && !early.has(nameOf(change))) early.set(nameOf(change), change);
  const missing = [...early.values()].filter(({ accountId, kind, key }) => snapshot.record(accountId, kind as 'policy', key) === undefined);
  snapshot.apply(version, missing.map(withProposal));
  const absent = [...attached].find((policy) => !exists(policy));
  if (absent !== undefined) throw new ProposalError(`the attached policy '${absent}' does not exist`);
  const stacks = newStacks(snapshot);

  function exists(policy: string): boolean {
    if (policy.startsWith('arn:'))
      return managedPolicyDocument(policy as Arn) !== undefined || snapshot.policy(policy as Arn) !== undefined;
    if (policy === FULL_AWS_ACCESS.policyId) return true;
    return accountIds.some((accountId) => snapshot.record(accountId, 'service-control-policy', policy) !== undefined);
  }

  let next = 0;
  let current = version;

  return {
    snapshot,
    stacks,
    advance(to) {
      if (to < current) return false;
      if (to === current) return true;
      const due: PastChange[] = [];
      for (let change = changes[next]; change !== undefined && change.version <= to; change = changes[++next]) {
        if (change.text !== undefined || !isAttached(change)) due.push(withProposal(change));
        // The organization determines whether the attachments of its units and accounts are outdated.
        if (change.kind === 'organization') due.push(...[...targets.values()].map(withProposal));
      }
      current = to;
      if (due.length > 0) snapshot.apply(to, due);
      return true;
    },
  };
}

/** Reports whether records of a kind have attached service control policies that can be outdated. */
function isTarget(kind: PastKind): boolean {
  return kind === 'organizational-unit' || kind === 'organization-account';
}

/** Returns the place of a policy: its account and lower-case name, or the ID of a service control policy. */
function nameOf({ accountId, kind, key }: Pick<PastChange, 'accountId' | 'kind' | 'key'>): string {
  return kind === 'service-control-policy' ? key : `${accountId} ${kind} ${key}`;
}

/** Returns the place of a policy that a proposal names. */
function attachedName(policy: string): string {
  if (!policy.startsWith('arn:')) return policy;
  return `${accountIdOf(policy)} policy ${policy.slice(policy.lastIndexOf('/') + 1).toLowerCase()}`;
}

/** Returns the ARN in the stored text of a managed policy. */
function arnOf(text: string): string {
  return (JSON.parse(text.slice(0, text.indexOf('\n'))) as { readonly arn: string }).arn;
}

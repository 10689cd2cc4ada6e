/** Proposed changes of policies, and identity records as if they had been made. */
import type { AccountId, Arn } from '#core/arn.ts';
import { parseArn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import type { IdentityRecords, PolicyRecord } from '#store/identity/identity.ts';
import type { PastKind } from '#store/identity/identity-history.ts';
import { attachedPolicyIds, type OrganizationRecord } from '#store/identity/organization-records.ts';
import { recordOf, textOf } from '#store/identity/record-parts.ts';
import type { ProposedFacts } from './past-request.ts';
import { proposedPolicies, type ResourcePolicyChange } from './proposed-policies.ts';

/** One proposed change. */
export type ProposedChange =
  | { readonly kind: 'document'; readonly policy: string; readonly document: string }
  | { readonly kind: 'attach' | 'detach'; readonly policy: string; readonly target: string }
  | { readonly kind: 'inline'; readonly name: string; readonly target: string; readonly document: string | undefined }
  | { readonly kind: 'boundary'; readonly policy: string | undefined; readonly target: string }
  | { readonly kind: 'trust'; readonly target: string; readonly document: string }
  | ResourcePolicyChange
  /** One inline policy in place of all policies and groups of a user or role. */
  | { readonly kind: 'replace'; readonly target: string; readonly name: string; readonly document: string };

/** A change that removes a policy or boundary. */
export type Removal =
  | Extract<ProposedChange, { readonly kind: 'attach' | 'detach' }>
  | Extract<ProposedChange, { readonly kind: 'inline' | 'boundary' }>;

/** Error of a proposed change that cannot be applied. */
export class ProposalError extends Error {}

type Json = Readonly<Record<string, unknown>>;

/** Identity records as if a proposal had been made. */
export interface Proposal {
  /** Policies that the proposal attaches or sets as boundaries: ARNs, and IDs of service control policies. */
  readonly attached: ReadonlySet<string>;
  /** Organizational units and accounts at which the proposal attaches or detaches service control policies: their IDs. */
  readonly controlled: ReadonlySet<string>;
  /**
   * Returns the text of a record with the proposed changes. The record of an organization must be before its units and accounts, because it
   * determines which policies are attached to them (`attachedPolicyIds`).
   */
  apply(kind: PastKind, accountId: AccountId, text: string): string;
  /**
   * Records that the proposal adds: policies that did not exist. `nameOwner` returns the ARN of the policy that has the name of another one,
   * with a different path or case.
   *
   * @throws ProposalError  IAM would not create the policy, or no change attaches it, so that it has no effect
   */
  added(
    exists: (policyArn: Arn) => boolean,
    nameOwner: (policyArn: Arn) => string | undefined,
  ): readonly { readonly accountId: AccountId; readonly key: string; readonly text: string }[];
  /** Returns the proposed resource-based policies. Absent if the proposal changes nothing. */
  readonly resourcePolicyOf: ProposedFacts['resourcePolicyOf'] | undefined;
  /** Returns the first change whose policy or target no record had, or `undefined`. */
  unmatched(): ProposedChange | undefined;
  /** Returns the first removal of a policy or boundary that its target never had, or `undefined`. */
  unneeded(): Removal | undefined;
}

/** Creates a proposal from its changes. They apply in their order. */
export function proposal(changes: readonly ProposedChange[]): Proposal {
  const matched = new Set<ProposedChange>();
  const removed = new Set<ProposedChange>();
  const organizations = new Map<AccountId, OrganizationRecord>();

  function changed(record: IdentityRecords[PastKind], names: readonly string[]): IdentityRecords[PastKind] {
    let next = record;
    for (const change of changes) {
      if (!names.includes(change.kind === 'document' ? change.policy : change.target)) continue;
      matched.add(change);
      if (isRemoval(change) && hasRemovable(change, next)) removed.add(change);
      next = { ...next, ...membersOf(change, next, organizations) } as IdentityRecords[PastKind];
    }
    return next;
  }

  const attached = changes.flatMap((change) => (change.kind === 'attach' || change.kind === 'boundary' ? (change.policy ?? []) : []));
  return {
    attached: new Set(attached),
    controlled: new Set(changes.flatMap((change) => (change.kind === 'attach' || change.kind === 'detach' ? change.target : []))),
    apply(kind, accountId, text) {
      const record = recordOf(kind, text) as IdentityRecords[PastKind];
      if (kind === 'organization') organizations.set(accountId, record as OrganizationRecord);
      const names = namesOf(kind, record);
      return changes.some((change) => names.includes(change.kind === 'document' ? change.policy : change.target))
        ? textOf(kind, changed(record, names))
        : text;
    },
    added(exists, nameOwner) {
      return changes.flatMap((change) => {
        if (change.kind !== 'document' || matched.has(change) || !change.policy.startsWith('arn:') || exists(change.policy as Arn))
          return [];
        matched.add(change);
        const owner = nameOwner(change.policy as Arn);
        if (owner !== undefined) throw new ProposalError(`'${change.policy}' does not exist, and '${owner}' has its name`);
        if (!attached.includes(change.policy)) throw new ProposalError(`'${change.policy}' does not exist, and no change attaches it`);
        return [newPolicy(change.policy as Arn, change.document)];
      });
    },
    resourcePolicyOf: changes.length === 0 ? undefined : proposedPolicies(changes.filter(isOfResource), matched),
    unmatched: () => changes.find((change) => !matched.has(change)),
    unneeded: () => changes.filter(isRemoval).find((change) => matched.has(change) && !removed.has(change)),
  };
}

function isOfResource(change: ProposedChange): change is ResourcePolicyChange {
  return change.kind === 'resource-policy';
}

function isRemoval(change: ProposedChange): change is Removal {
  if (change.kind === 'detach') return true;
  return (change.kind === 'inline' && change.document === undefined) || (change.kind === 'boundary' && change.policy === undefined);
}

/** Reports whether a user, group or role has what a change removes. Reports true for targets in an organization. */
function hasRemovable(change: Removal, record: IdentityRecords[PastKind]): boolean {
  const { arn, attachedPolicyArns, inlinePolicies, permissionsBoundaryArn } = record as {
    readonly arn?: string;
    readonly attachedPolicyArns?: readonly string[];
    readonly inlinePolicies?: Readonly<Record<string, string>>;
    readonly permissionsBoundaryArn?: string;
  };
  if (arn?.startsWith('arn:aws:iam:') !== true) return true;
  if (change.kind === 'inline') return inlinePolicies !== undefined && Object.hasOwn(inlinePolicies, change.name);
  if (change.kind === 'boundary') return permissionsBoundaryArn !== undefined;
  return attachedPolicyArns?.includes(change.policy) === true;
}

/** Returns the names by which a change can refer to a record. */
function namesOf(kind: PastKind, record: IdentityRecords[PastKind]): readonly string[] {
  switch (kind) {
    case 'user':
    case 'group':
    case 'role':
    case 'policy':
      return [(record as { readonly arn: string }).arn];
    case 'service-control-policy':
      return [(record as IdentityRecords['service-control-policy']).policyId];
    case 'organizational-unit':
      return [(record as IdentityRecords['organizational-unit']).unitId];
    case 'organization-account':
      return [(record as IdentityRecords['organization-account']).memberId];
    case 'organization':
      return [(record as IdentityRecords['organization']).root.rootId];
    default:
      return [];
  }
}

/** Returns the members of a record that a change sets. */
function membersOf(
  change: ProposedChange,
  record: IdentityRecords[PastKind],
  organizations: ReadonlyMap<AccountId, OrganizationRecord>,
): Json {
  const holder = record as unknown as {
    readonly accountId: AccountId;
    readonly attachedIn?: number;
    readonly attachedPolicyArns?: readonly string[];
    readonly inlinePolicies?: Readonly<Record<string, string>>;
    readonly attachedPolicyIds?: readonly string[];
    readonly root?: { readonly attachedPolicyIds: readonly string[] };
  };
  switch (change.kind) {
    case 'document':
      return 'content' in record ? { content: change.document } : { versions: withDocument(record as PolicyRecord, change.document) };
    case 'attach':
    case 'detach': {
      const listed = (list: readonly string[] = []) => {
        const others = list.filter((each) => each !== change.policy);
        return change.kind === 'attach' ? [...others, change.policy] : others;
      };
      if (holder.root !== undefined) return { root: { ...holder.root, attachedPolicyIds: listed(holder.root.attachedPolicyIds) } };
      if (holder.attachedPolicyIds !== undefined) {
        const { attachmentPeriod = 0 } = organizations.get(holder.accountId) ?? {};
        const { attachedPolicyIds: stored, attachedIn = 0 } = holder;
        const current = attachedPolicyIds({ attachmentPeriod }, { attachedPolicyIds: stored, attachedIn }, [FULL_AWS_ACCESS.policyId]);
        return { attachedPolicyIds: listed(current), attachedIn: attachmentPeriod };
      }
      return { attachedPolicyArns: listed(holder.attachedPolicyArns) };
    }
    case 'inline': {
      const { [change.name]: _, ...others } = holder.inlinePolicies ?? {};
      return { inlinePolicies: change.document === undefined ? others : { ...others, [change.name]: change.document } };
    }
    case 'boundary':
      return { permissionsBoundaryArn: change.policy };
    case 'trust':
      return { trustPolicy: change.document };
    case 'resource-policy':
      return {};
    case 'replace':
      return {
        attachedPolicyArns: [],
        inlinePolicies: { [change.name]: change.document },
        ...('groupIds' in record && { groupIds: [] }),
      };
  }
}

function withDocument({ versions, defaultVersionId }: PolicyRecord, document: string): PolicyRecord['versions'] {
  return versions.map((version) => (version.versionId === defaultVersionId ? { ...version, document } : version));
}

function newPolicy(arn: Arn, document: string): { readonly accountId: AccountId; readonly key: string; readonly text: string } {
  const accountId = parseArn(arn)?.accountId as AccountId;
  const policyName = arn.slice(arn.lastIndexOf('/') + 1);
  const at = instant(0);
  const record: PolicyRecord = {
    ...{ accountId, arn, policyName, policyId: 'ANPAPROPOSED', path: '/', createdAt: at, updatedAt: at, tags: [] },
    ...{ defaultVersionId: 'v1', nextVersion: 2, versions: [{ versionId: 'v1', document, createdAt: at }] },
  };
  return { accountId, key: policyName.toLowerCase(), text: textOf('policy', record) };
}

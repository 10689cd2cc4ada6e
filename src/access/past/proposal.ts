/** Proposed changes of policies, and identity records as if they had been made. */
import type { AccountId, Arn } from '#core/arn.ts';
import { parseArn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { PolicyType } from '#policy/decision.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import type { IdentityRecords, PolicyRecord } from '#store/identity/identity.ts';
import type { PastKind } from '#store/identity/identity-history.ts';
import { attachedPolicyIds, type OrganizationRecord } from '#store/identity/organization-records.ts';
import { recordOf, textOf } from '#store/identity/record-parts.ts';

/** One proposed change. */
export type ProposedChange =
  | { readonly kind: 'document'; readonly policy: string; readonly document: string }
  | { readonly kind: 'attach' | 'detach'; readonly policy: string; readonly target: string }
  | { readonly kind: 'inline'; readonly name: string; readonly target: string; readonly document: string | undefined }
  | { readonly kind: 'boundary'; readonly policy: string | undefined; readonly target: string }
  | { readonly kind: 'trust'; readonly target: string; readonly document: string }
  /** One inline policy in place of all policies and groups of a user or role. */
  | { readonly kind: 'replace'; readonly target: string; readonly name: string; readonly document: string };

/** Error of a proposed change that cannot be applied. */
export class ProposalError extends Error {}

type Json = Readonly<Record<string, unknown>>;

/**
 * Parses proposed changes: an object with the list `changes`. Each change has one of these forms:
 *
 *     { "policy": "arn:…:policy/name" or "p-…", "document": { … } }      the document of a managed policy or service control policy
 *     { "attach": "arn:…:policy/name" or "p-…", "to": "arn:…" or ID }    an attachment. Targets of service control policies are IDs
 *     { "detach": "arn:…:policy/name" or "p-…", "from": "arn:…" or ID }
 *     { "inline": "name", "of": "arn:…", "document": { … } or null }     an inline policy. `null` deletes it
 *     { "boundary": "arn:…:policy/name" or null, "of": "arn:…" }
 *     { "trust": "arn:…:role/name", "document": { … } }                  the trust policy of a role
 *
 * @throws ProposalError  the text is not such an object, or a document is not a valid policy
 */
export function parseProposal(text: string): readonly ProposedChange[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ProposalError(`it is not JSON: ${(error as Error).message}`);
  }
  const changes = isObject(parsed) ? parsed['changes'] : undefined;
  if (!Array.isArray(changes)) throw new ProposalError("it needs a list 'changes'");
  return changes.map((change, i) => {
    try {
      return changeOf(change);
    } catch (error) {
      throw new ProposalError(`change ${i + 1}: ${(error as Error).message}`);
    }
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Members of each form of a change, after the first one, which names the form. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  attach: ['to'],
  detach: ['from'],
  inline: ['of', 'document'],
  boundary: ['of'],
  trust: ['document'],
  policy: ['document'],
};

/** Forms of the names in a change. A policy of AWS can be attached, but not changed. */
const NAMES = {
  'managed policy': /^arn:aws:iam::(?:[0-9]{12}|aws):policy\/./,
  'customer managed policy': /^arn:aws:iam::[0-9]{12}:policy\/./,
  'service control policy': /^p-/,
  'user, group or role': /^arn:aws:iam::[0-9]{12}:(?:user|group|role)\/./,
  'user or role': /^arn:aws:iam::[0-9]{12}:(?:user|role)\/./,
  role: /^arn:aws:iam::[0-9]{12}:role\/./,
  'root, organizational unit or account': /^(?:r-|ou-|[0-9]{12}$)/,
} as const;

function changeOf(change: unknown): ProposedChange {
  if (!isObject(change)) throw new ProposalError('it is not an object');
  const form = Object.keys(FORMS).find((name) => Object.hasOwn(change, name));
  if (form === undefined) throw new ProposalError('it needs one of the members policy, attach, detach, inline, boundary and trust');
  const unknown = Object.keys(change).find((name) => name !== form && FORMS[form]?.includes(name) !== true);
  if (unknown !== undefined) throw new ProposalError(`a change with '${form}' has no member '${unknown}'`);
  const text = (name: string): string => {
    const value = change[name];
    if (typeof value !== 'string' || value === '') throw new ProposalError(`'${name}' must be a text`);
    return value;
  };
  const named = (name: string, ...kinds: readonly (keyof typeof NAMES)[]): string => {
    const value = text(name);
    if (!kinds.some((kind) => NAMES[kind].test(value))) throw new ProposalError(`'${name}' must name a ${kinds.join(' or a ')}`);
    return value;
  };
  const document = (policyType: PolicyType, storage?: 'inline'): string => {
    if (!isObject(change['document'])) throw new ProposalError("'document' must be a policy");
    const written = JSON.stringify(change['document']);
    const problem = malformedPolicyText(written, policyType, storage);
    if (problem !== undefined) throw new ProposalError(`'document': ${problem}`);
    return written;
  };
  switch (form) {
    case 'attach':
    case 'detach': {
      const policy = named(form, 'managed policy', 'service control policy');
      const target = form === 'attach' ? 'to' : 'from';
      const kind = policy.startsWith('p-') ? 'root, organizational unit or account' : 'user, group or role';
      return { kind: form, policy, target: named(target, kind) };
    }
    case 'inline': {
      const isDeleted = change['document'] === null;
      const target = named('of', 'user, group or role');
      return { kind: 'inline', name: text('inline'), target, document: isDeleted ? undefined : document('identity', 'inline') };
    }
    case 'boundary': {
      const policy = change['boundary'] === null ? undefined : named('boundary', 'managed policy');
      return { kind: 'boundary', policy, target: named('of', 'user or role') };
    }
    case 'trust':
      return { kind: 'trust', target: named('trust', 'role'), document: document('trust') };
    default: {
      const policy = named('policy', 'customer managed policy', 'service control policy');
      return { kind: 'document', policy, document: document(policy.startsWith('p-') ? 'service-control' : 'identity') };
    }
  }
}

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
  /** Records that the proposal adds: policies that did not exist. */
  added(exists: (policyArn: Arn) => boolean): readonly { readonly accountId: AccountId; readonly key: string; readonly text: string }[];
  /** Returns the first change whose policy or target no record had, or `undefined`. */
  unmatched(): ProposedChange | undefined;
}

/** Creates a proposal from its changes. They apply in their order. */
export function proposal(changes: readonly ProposedChange[]): Proposal {
  const matched = new Set<ProposedChange>();
  const organizations = new Map<AccountId, OrganizationRecord>();

  function changed(record: IdentityRecords[PastKind], names: readonly string[]): IdentityRecords[PastKind] {
    let next = record;
    for (const change of changes) {
      if (!names.includes(change.kind === 'document' ? change.policy : change.target)) continue;
      matched.add(change);
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
    added(exists) {
      return changes.flatMap((change) => {
        if (change.kind !== 'document' || matched.has(change) || !change.policy.startsWith('arn:') || exists(change.policy as Arn))
          return [];
        matched.add(change);
        return [newPolicy(change.policy as Arn, change.document)];
      });
    },
    unmatched: () => changes.find((change) => !matched.has(change)),
  };
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

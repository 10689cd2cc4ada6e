/** Proposed changes of policies, and identity records as if they had been made. */
import type { AccountId, Arn } from '#core/arn.ts';
import { parseArn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { compilePolicy } from '#policy/engine.ts';
import type { IdentityRecords, PolicyRecord } from '#store/identity/identity.ts';
import type { PastKind } from '#store/identity/identity-history.ts';
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

function changeOf(change: unknown): ProposedChange {
  if (!isObject(change)) throw new ProposalError('it is not an object');
  const text = (name: string): string => {
    const value = change[name];
    if (typeof value !== 'string' || value === '') throw new ProposalError(`'${name}' must be a text`);
    return value;
  };
  const document = (): string => {
    if (!isObject(change['document'])) throw new ProposalError("'document' must be a policy");
    const written = JSON.stringify(change['document']);
    compilePolicy(written);
    return written;
  };
  if ('attach' in change) return { kind: 'attach', policy: text('attach'), target: text('to') };
  if ('detach' in change) return { kind: 'detach', policy: text('detach'), target: text('from') };
  if ('inline' in change) {
    const isDeleted = change['document'] === null;
    return { kind: 'inline', name: text('inline'), target: text('of'), document: isDeleted ? undefined : document() };
  }
  if ('boundary' in change)
    return { kind: 'boundary', policy: change['boundary'] === null ? undefined : text('boundary'), target: text('of') };
  if ('trust' in change) return { kind: 'trust', target: text('trust'), document: document() };
  if ('policy' in change) return { kind: 'document', policy: text('policy'), document: document() };
  throw new ProposalError('it needs one of the members policy, attach, detach, inline, boundary and trust');
}

/** Identity records as if a proposal had been made. */
export interface Proposal {
  /** Returns the text of a record with the proposed changes. */
  apply(kind: PastKind, accountId: AccountId, text: string): string;
  /** Records that the proposal adds: policies that did not exist. */
  added(exists: (policyArn: Arn) => boolean): readonly { readonly accountId: AccountId; readonly key: string; readonly text: string }[];
  /** Returns the first change whose policy or target no record had, or `undefined`. */
  unmatched(): ProposedChange | undefined;
}

/** Creates a proposal from its changes. They apply in their order. */
export function proposal(changes: readonly ProposedChange[]): Proposal {
  const matched = new Set<ProposedChange>();

  function changed(record: IdentityRecords[PastKind], names: readonly string[]): IdentityRecords[PastKind] {
    let next = record;
    for (const change of changes) {
      if (!names.includes(change.kind === 'document' ? change.policy : change.target)) continue;
      matched.add(change);
      next = { ...next, ...membersOf(change, next) } as IdentityRecords[PastKind];
    }
    return next;
  }

  return {
    apply(kind, _accountId, text) {
      const record = recordOf(kind, text) as IdentityRecords[PastKind];
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
function membersOf(change: ProposedChange, record: IdentityRecords[PastKind]): Json {
  const holder = record as unknown as {
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
      if (holder.attachedPolicyIds !== undefined) return { attachedPolicyIds: listed(holder.attachedPolicyIds) };
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

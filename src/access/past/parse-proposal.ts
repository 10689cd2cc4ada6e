/** Files with proposed changes of policies. */
import { accountIdOf, isServiceLinkedRoleArn } from '#core/arn.ts';
import type { PolicyType } from '#policy/decision.ts';
import { malformedBucketPolicy } from '#policy/validate/malformed-bucket-policy.ts';
import { malformedPolicyText } from '#policy/validate/malformed-policy-text.ts';
import { POLICY_QUOTAS, type PolicyQuota, policySize } from '#policy/validate/policy-size.ts';
import type { AuthorizationReference } from '#policy/validate/reference.ts';
import { ProposalError, type ProposedChange } from './proposal.ts';

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
 *     { "resourcePolicy": "arn:…", "document": { … } or null }           the policy of a bucket or event bus. `null` deletes it
 *
 * `reference` is the service authorization reference, with which the policies of buckets are checked.
 *
 * @throws ProposalError  the text is not such an object, or a document is not a valid policy
 */
export function parseProposal(text: string, reference: AuthorizationReference): readonly ProposedChange[] {
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
      return changeOf(change, reference);
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
  resourcePolicy: ['document'],
  policy: ['document'],
};

/** Forms of the names in a change. A policy of AWS can be attached, but not changed. Source: iam 2010-05-08, `policyNameType` and `policyPathType`. */
const NAMES = {
  'managed policy': /^arn:aws:iam::(?:[0-9]{12}|aws):policy\/(?:[!-.0-~]+\/)*[\w+=,.@-]{1,128}$/,
  'customer managed policy': /^arn:aws:iam::[0-9]{12}:policy\/(?:[!-.0-~]+\/)*[\w+=,.@-]{1,128}$/,
  'service control policy': /^p-/,
  'user, group or role': /^arn:aws:iam::[0-9]{12}:(?:user|group|role)\/./,
  'user or role': /^arn:aws:iam::[0-9]{12}:(?:user|role)\/./,
  role: /^arn:aws:iam::[0-9]{12}:role\/./,
  bucket: /^arn:aws:s3:::[^/]+$/,
  bus: /^arn:aws:events:[a-z0-9-]+:[0-9]{12}:event-bus\/./,
  'root, organizational unit or account': /^(?:r-|ou-|[0-9]{12}$)/,
} as const;

/** Source: iam 2010-05-08, `policyNameType`. */
const POLICY_NAME = /^[\w+=,.@-]{1,128}$/;

/** Returns the largest size of an inline policy. IAM counts all inline policies of a user, group or role together. */
function inlineQuota(target: string): PolicyQuota {
  if (target.includes(':user/')) return POLICY_QUOTAS.inlineUser;
  return target.includes(':group/') ? POLICY_QUOTAS.inlineGroup : POLICY_QUOTAS.inlineRole;
}

/**
 * Returns the target of a change that IAM accepts.
 *
 * @throws ProposalError  the target is a service-linked role
 * Source: IAM User Guide, "Create a service-linked role": only the service can change its permissions.
 */
function modifiable(target: string): string {
  if (isServiceLinkedRoleArn(target)) throw new ProposalError(`the role '${target}' is only modifiable by AWS`);
  return target;
}

function changeOf(change: unknown, reference: AuthorizationReference): ProposedChange {
  if (!isObject(change)) throw new ProposalError('it is not an object');
  const form = Object.keys(FORMS).find((name) => Object.hasOwn(change, name));
  if (form === undefined)
    throw new ProposalError('it needs one of the members policy, attach, detach, inline, boundary, trust and resourcePolicy');
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
  /** Returns the name of a policy that can be attached to a target: one of AWS, or of the account of the target. */
  const attachable = (name: string, target: string): string => {
    const policy = named(name, 'managed policy');
    const accountId = accountIdOf(target);
    if (accountIdOf(policy) !== 'aws' && accountIdOf(policy) !== accountId)
      throw new ProposalError(`'${name}' must name a policy of AWS or of the account ${accountId}`);
    return policy;
  };
  const checked = ({ characters }: PolicyQuota, policyType: PolicyType, problemOf: (written: string) => string | undefined): string => {
    if (!isObject(change['document'])) throw new ProposalError("'document' must be a policy");
    const written = JSON.stringify(change['document']);
    const size = policySize(written, policyType);
    if (size > characters) throw new ProposalError(`'document' has ${size} characters; it can have ${characters}`);
    const problem = problemOf(written);
    if (problem !== undefined) throw new ProposalError(`'document': ${problem}`);
    return written;
  };
  const document = (quota: PolicyQuota, policyType: PolicyType, storage?: 'inline'): string =>
    checked(quota, policyType, (written) => malformedPolicyText(written, policyType, storage));
  switch (form) {
    case 'attach':
    case 'detach': {
      const policy = named(form, 'managed policy', 'service control policy');
      const to = form === 'attach' ? 'to' : 'from';
      if (policy.startsWith('p-')) return { kind: form, policy, target: named(to, 'root, organizational unit or account') };
      const target = modifiable(named(to, 'user, group or role'));
      return { kind: form, policy: attachable(form, target), target };
    }
    case 'inline': {
      const target = modifiable(named('of', 'user, group or role'));
      const name = text('inline');
      if (!POLICY_NAME.test(name)) throw new ProposalError("'inline' must be a name of a policy");
      const isDeleted = change['document'] === null;
      return { kind: 'inline', name, target, document: isDeleted ? undefined : document(inlineQuota(target), 'identity', 'inline') };
    }
    case 'boundary': {
      const target = modifiable(named('of', 'user or role'));
      return { kind: 'boundary', policy: change['boundary'] === null ? undefined : attachable('boundary', target), target };
    }
    case 'trust':
      return { kind: 'trust', target: modifiable(named('trust', 'role')), document: document(POLICY_QUOTAS.trust, 'trust') };
    case 'resourcePolicy': {
      const target = named('resourcePolicy', 'bucket', 'bus');
      const bucket = NAMES.bucket.test(target) ? target.slice(target.lastIndexOf(':') + 1) : undefined;
      if (change['document'] === null) return { kind: 'resource-policy', target, document: undefined };
      const written =
        bucket === undefined
          ? document(POLICY_QUOTAS.resource, 'resource')
          : checked(POLICY_QUOTAS.bucket, 'resource', (each) => malformedBucketPolicy(each, bucket, reference));
      return { kind: 'resource-policy', target, document: written };
    }
    default: {
      const policy = named('policy', 'customer managed policy', 'service control policy');
      const isControl = policy.startsWith('p-');
      const quota = isControl ? POLICY_QUOTAS.serviceControl : POLICY_QUOTAS.managed;
      return { kind: 'document', policy, document: document(quota, isControl ? 'service-control' : 'identity') };
    }
  }
}

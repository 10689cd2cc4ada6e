import { hash } from 'node:crypto';
import type { Arn } from '#core/arn.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { type CompiledPolicy, compilePolicy, type SourcedPolicy } from '#policy/engine.ts';
import type { GroupRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import { managedPolicyDocument } from './managed.ts';
import type { Snapshot } from './snapshot.ts';

/** Policies of a snapshot, each compiled once. `principal-layers.ts` determines which principal has which policies. */
export interface CompiledPolicies {
  /**
   * Returns the compiled form of a policy document in a record. A changed record is a new object, so its documents are
   * compiled again.
   */
  of(record: object, name: string, text: string): CompiledPolicy;
  /**
   * Returns the compiled form of a resource-based policy. Returns the same object for the same text.
   *
   * @throws PolicyTextError  the text is not a valid policy, so evaluation fails closed (EVAL-12)
   */
  ofResource(text: string): ResourcePolicy;
  /** Returns a managed policy. @throws Error  the policy does not exist, so evaluation fails closed (EVAL-12) */
  managed(policyArn: Arn): SourcedPolicy;
  /**
   * Returns the attached and inline policies of a user, group or role. `label` names the holder in decisions.
   *
   * @throws Error  an attached policy does not exist
   */
  heldBy(holder: UserRecord | GroupRecord | RoleRecord, label: string): readonly SourcedPolicy[];
  /**
   * Returns the session policies of a principal, or `undefined` if session policies do not limit the principal. For a
   * federated user without session policies, returns an empty list, which allows nothing. Requirement STS-10.
   */
  ofSession(principal: Principal): readonly SourcedPolicy[] | undefined;
}

/** Compiled resource-based policy. */
export interface ResourcePolicy {
  readonly policy: CompiledPolicy;
  /** SHA-256 of the policy's text in UTF-8, in hexadecimal. Decision contexts contain it. */
  readonly hash: string;
}

/** Maximum number of cached resource-based policies. Each has at most 20 KB of text. */
const RESOURCE_POLICIES_MAX = 250;

/** Maximum number of cached session policies. */
const SESSION_POLICIES_MAX = 1000;

/** Reports whether session policies limit a principal. */
export function hasSessionPolicies({ type, session }: Principal): boolean {
  return session?.sessionPolicy !== undefined || session?.sessionPolicyArns !== undefined || type === 'FederatedUser';
}

/** Creates the compiled policies of a snapshot. */
export function compiledPolicies(snapshot: Snapshot): CompiledPolicies {
  const byRecord = new WeakMap<object, Map<string, CompiledPolicy>>();
  const byResourceText = lruMap<string, ResourcePolicy>(RESOURCE_POLICIES_MAX);
  const bySessionText = lruMap<string, CompiledPolicy>(SESSION_POLICIES_MAX);

  function of(record: object, name: string, text: string): CompiledPolicy {
    let policies = byRecord.get(record);
    if (policies === undefined) byRecord.set(record, (policies = new Map()));
    let policy = policies.get(name);
    if (policy === undefined) policies.set(name, (policy = compilePolicy(text)));
    return policy;
  }

  function ofResource(text: string): ResourcePolicy {
    let known = byResourceText.get(text);
    if (known === undefined) {
      known = { policy: compilePolicy(text), hash: hash('sha256', text, 'hex') };
      byResourceText.set(text, known);
    }
    return known;
  }

  function managed(policyArn: Arn): SourcedPolicy {
    const aws = managedPolicyDocument(policyArn);
    if (aws !== undefined) return { policyId: policyArn, policyArn, policy: of(aws, 'document', aws.document) };
    const record = snapshot.policy(policyArn);
    const version = record?.versions.find((each) => each.versionId === record.defaultVersionId);
    // An attached policy always exists. If a bug has removed it, the error denies the request.
    if (record === undefined || version === undefined) throw new Error(`the attached policy '${policyArn}' does not exist`);
    return { policyId: policyArn, policyArn, policy: of(record, version.versionId, version.document) };
  }

  /**
   * Returns the same compiled object for each request with this session policy. Otherwise all policies of the caller
   * would have to be combined again for each request.
   */
  function inlineSessionPolicy(text: string): SourcedPolicy {
    let policy = bySessionText.get(text);
    if (policy === undefined) {
      policy = compilePolicy(text);
      bySessionText.set(text, policy);
    }
    return { policyId: 'session policy', policy };
  }

  function exists(policyArn: Arn): boolean {
    return managedPolicyDocument(policyArn) !== undefined || snapshot.policy(policyArn) !== undefined;
  }

  return {
    of,
    ofResource,
    managed,
    heldBy: (holder, label) => [
      ...holder.attachedPolicyArns.map(managed),
      ...Object.entries(holder.inlinePolicies).map(([name, text]) => ({
        policyId: `${label}:${name}`,
        policy: of(holder, `inline ${name}`, text),
      })),
    ],
    ofSession(principal) {
      if (!hasSessionPolicies(principal)) return undefined;
      const { sessionPolicy, sessionPolicyArns = [] }: Partial<SessionFacts> = principal.session ?? {};
      return [
        ...(sessionPolicy === undefined ? [] : [inlineSessionPolicy(sessionPolicy)]),
        // A managed session policy that was deleted after the session began grants nothing.
        ...sessionPolicyArns.filter(exists).map(managed),
      ];
    },
  };
}

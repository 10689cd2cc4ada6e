import type { Arn } from '#core/arn.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import { type CompiledPolicy, compilePolicy, type SourcedPolicy } from '#policy/engine.ts';
import type { GroupRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import { managedPolicyDocument } from './managed.ts';
import type { Snapshot } from './snapshot.ts';

/** Policies of a snapshot, each compiled once. Owns the compiled documents, but not which principal has which policy. */
export interface CompiledPolicies {
  /** Returns a compiled document of a record. A changed record is a new object, so its documents are compiled again. */
  of(record: object, name: string, text: string): CompiledPolicy;
  /** Returns a managed policy. @throws Error  the policy does not exist, so evaluation fails closed (EVAL-12) */
  managed(policyArn: Arn): SourcedPolicy;
  /** Returns the attached and inline policies of a user, group or role. `label` names it in decisions. @throws Error  as `managed` */
  heldBy(holder: UserRecord | GroupRecord | RoleRecord, label: string): readonly SourcedPolicy[];
  /**
   * Returns the session policies, or `undefined` without any. For a federated user without any, returns an empty list, which allows
   * nothing. Requirement STS-10.
   */
  ofSession(principal: Principal): readonly SourcedPolicy[] | undefined;
}

/** Maximum number of cached session policies. */
const SESSION_POLICIES_MAX = 1000;

/** Reports whether session policies limit a principal. */
export function hasSessionPolicies({ type, session }: Principal): boolean {
  return session?.sessionPolicy !== undefined || session?.sessionPolicyArns !== undefined || type === 'FederatedUser';
}

/** Creates the compiled policies of a snapshot. */
export function compiledPolicies(snapshot: Snapshot): CompiledPolicies {
  const byRecord = new WeakMap<object, Map<string, CompiledPolicy>>();
  const bySessionText = lruMap<string, CompiledPolicy>(SESSION_POLICIES_MAX);

  function of(record: object, name: string, text: string): CompiledPolicy {
    let policies = byRecord.get(record);
    if (policies === undefined) byRecord.set(record, (policies = new Map()));
    let policy = policies.get(name);
    if (policy === undefined) policies.set(name, (policy = compilePolicy(text)));
    return policy;
  }

  function managed(policyArn: Arn): SourcedPolicy {
    const aws = managedPolicyDocument(policyArn);
    if (aws !== undefined) return { policyId: policyArn, policyArn, policy: of(aws, 'document', aws.document) };
    const record = snapshot.policy(policyArn);
    const version = record?.versions.find((each) => each.versionId === record.defaultVersionId);
    // An attached policy always exists. If a bug removes it, evaluation fails closed.
    if (record === undefined || version === undefined) throw new Error(`the attached policy '${policyArn}' does not exist`);
    return { policyId: policyArn, policyArn, policy: of(record, version.versionId, version.document) };
  }

  /** Compiles a session policy once. A new object for each request would require linking the whole stack again. */
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

import type { ConditionContext } from './condition-context.ts';
import type { Instant } from './instant.ts';

/**
 * Permission that an operation requires: one action on every resource. Operations declare it, and `access` decides about it.
 *
 * `Tx` is the type of a transaction. It is a parameter, because this part imports nothing.
 */
export interface RequiredAccess<Tx> {
  readonly action: `${string}:${string}`;
  /** ARNs, or only `*` for an action without resource types. */
  readonly resources: readonly string[];
  /** Name of the resource in a denial, if it is not the ARN: `role reader` in IAM. Only for one resource. */
  readonly called?: string;
  /**
   * Reads the resources in the operation's own transaction, instead of `resources`, if the input does not determine their ARNs. ARNs of IAM
   * contain a path, for example. An empty result requires nothing more.
   */
  readonly resolve?: (tx: Tx) => Promise<readonly string[]>;
  /** Condition keys of the request, in lower case: `aws:RequestTag/…`, `aws:TagKeys`, `iam:PassedToService` … */
  readonly context?: ConditionContext;
  /** Reads further condition keys, such as `iam:PermissionsBoundary` of the target user, in the operation's own transaction. */
  readonly resolveContext?: (tx: Tx, now: Instant) => Promise<ConditionContext>;
  /**
   * Tags of the resources. The server reads them in the operation's own transaction, if a policy of the caller or the trust policy tests
   * them. One entry per resource, in the order of `resources`.
   */
  readonly resourceTags?: (tx: Tx) => Promise<readonly (Readonly<Record<string, string>> | undefined)[]>;
  /** `sts:AssumeRole…`: the role whose trust policy decides together with the caller's own policies. */
  readonly trustPolicyOf?: string;
  /** True for an operation that requires no permission and cannot be denied: GetCallerIdentity (STS-11), GetSessionToken. */
  readonly always?: true;
}

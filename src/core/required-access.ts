import type { AccountId } from './arn.ts';
import type { ConditionContext } from './condition-context.ts';
import type { Instant } from './instant.ts';

/**
 * Permission that an operation requires: one action on each of the resources. Operations declare it, and `src/access`
 * checks it.
 *
 * `Tx` is the type of a transaction. It is a type parameter, because `src/core` cannot import the store.
 */
export interface RequiredAccess<Tx> {
  readonly action: `${string}:${string}`;
  /** ARNs, or only `*` for an action without resource types. */
  readonly resources: readonly string[];
  /**
   * Name of the resource in an access-denied message, if the message does not contain the ARN. For example, messages of
   * IAM contain `role reader`. Set it only if there is one resource.
   */
  readonly called?: string;
  /**
   * Reads the ARNs of the resources in the operation's own transaction. Set this member instead of `resources` if the
   * input does not determine the ARNs. For example, ARNs of IAM contain a path that the input lacks. If the result is
   * empty, no permission is required.
   */
  readonly resolve?: (tx: Tx) => Promise<readonly string[]>;
  /** Condition keys of the request, in lower case: `aws:RequestTag/…`, `aws:TagKeys`, `iam:PassedToService` … */
  readonly context?: ConditionContext;
  /**
   * Reads more condition keys in the operation's own transaction, such as `iam:PermissionsBoundary` of the target user.
   */
  readonly resolveContext?: (tx: Tx, now: Instant) => Promise<ConditionContext>;
  /**
   * Returns the tags of the resources, with one entry per resource, in the order of `resources`. The server calls it in
   * the operation's own transaction, if a policy of the caller or the trust policy tests resource tags.
   */
  readonly resourceTags?: (tx: Tx) => Promise<readonly (Readonly<Record<string, string>> | undefined)[]>;
  /** `sts:AssumeRole…`: the role whose trust policy decides together with the caller's own policies. */
  readonly trustPolicyOf?: string;
  /**
   * Reads the text of the resource-based policy of the resources, such as a bucket policy, in the operation's own
   * transaction. Returns `undefined` if there is none. It decides together with the caller's own policies, so all
   * resources of the permission must have this one policy. Its principals are unique IDs, as
   * `services/iam/stored-principals.ts` stores them. Requirement RBP-5.
   */
  readonly resourcePolicy?: (tx: Tx) => Promise<string | undefined>;
  /**
   * Reads the account that owns the resources, in the operation's own transaction. Set this member if the ARNs contain
   * no account, as those of buckets and objects. Without it, or if it returns `undefined`, such a resource belongs to no
   * account, so the request is denied.
   */
  readonly resourceOwner?: (tx: Tx) => Promise<AccountId | undefined>;
  /** True for an operation that requires no permission and cannot be denied: GetCallerIdentity (STS-11), GetSessionToken. */
  readonly always?: true;
}

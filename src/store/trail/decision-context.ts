import type { ConditionContext } from '#core/condition-context.ts';
import type { Instant } from '#core/instant.ts';
import type { Tags } from '#core/tag-keys.ts';

/**
 * Decision context of a request: the facts that decided whether the request was allowed, except the facts that identity
 * records contain. Together with the identity records of `identityVersion`, it is sufficient to decide the request
 * again. It contains no secrets. Decision 0023.
 *
 * Members without a value are present and `undefined`, because the server creates a context for each request, and objects
 * of one shape are fast.
 */
export interface DecisionContext {
  /** Version of identity with which the request was decided. */
  readonly identityVersion: number;
  /**
   * Whether identity changed while the server read the facts. If so, the server used some records of a later version,
   * and the same decision is not guaranteed.
   */
  readonly identityChanged: boolean;
  /** Time of the decision. */
  readonly now: Instant;
  readonly profile: 'classic' | 'sdk';
  /** Caller: a principal without a session as text, or the ID of a stored session (`trail-session.ts`). */
  readonly caller: { readonly principal: string } | { readonly session: string };
  readonly region: string;
  readonly sourceIp: string;
  /** Whether the client used TLS. */
  readonly secureTransport: boolean;
  readonly userAgent: string | undefined;
  readonly referer: string | undefined;
  /** Required permissions, in the order in which they are decided. */
  readonly permissions: readonly PermissionContext[];
  readonly outcome: DecisionOutcome;
  /**
   * Permissions that the handler checked for a part of its result and that were denied, such as `s3:DeleteObject` for one object of DeleteObjects.
   * They do not change the outcome. Absent if there are none. Those that were allowed are in `permissions`, after the required ones.
   */
  readonly denied: readonly PermissionContext[] | undefined;
  /** Decisions about parts of the result that are not stored, because the context would be too large. Absent if all are stored. */
  readonly omitted: OmittedDecisions | undefined;
}

/** Numbers of decisions about resources of the result that are not stored. */
export interface OmittedDecisions {
  readonly allowed: number;
  readonly denied: number;
}

/** Context of one required permission. */
export interface PermissionContext {
  readonly action: string;
  /** ARNs, with wildcards if the server authorized patterns. The list is empty if no permission was required. */
  readonly resources: readonly string[];
  /** Condition keys that the operation sets. */
  readonly added: ConditionContext | undefined;
  /**
   * Tags of each resource, as the server read them for the decision. `none`: the operation has no tags. `not read`: no
   * policy tested them, so the server did not read them.
   */
  readonly tags: 'none' | 'not read' | readonly (Tags | undefined)[];
  /** ARN of the role whose trust policy also decides. */
  readonly trustPolicyOf: string | undefined;
  /** Account that owns the resources, if the operation read it because their ARNs contain no account. */
  readonly resourceOwner: string | undefined;
  /**
   * Resource-based policy of the resources that also decides: SHA-256 of its stored text in UTF-8, in hexadecimal.
   * `none`: the resources have no policy. Absent if the operation reads none. The text itself is not stored, so the
   * decision can be repeated only with a copy of the policy.
   */
  readonly resourcePolicy: string | undefined;
  /** True if the operation requires no permission and cannot be denied. */
  readonly always: boolean;
  /**
   * True if an earlier permission was denied. The resources and condition keys are then those of the input only.
   */
  readonly undecided: boolean;
  /**
   * Statement that allowed the last resource: of an identity policy, of the role's trust policy, or of the resource-based
   * policy. Absent if no statement did, as for the root user, or if the policies are too long to find it cheaply.
   */
  readonly allowedBy: DecidingStatement | undefined;
}

/** Outcome of the authorization of a request. `session-kind`: this kind of session cannot call the operation. */
export type DecisionOutcome =
  | { readonly effect: 'Allow' }
  | { readonly effect: 'Deny'; readonly kind: 'explicit'; readonly by: DecidingStatement; readonly resource: string }
  | { readonly effect: 'Deny'; readonly kind: 'implicit'; readonly missing: string; readonly resource: string }
  | { readonly effect: 'Deny'; readonly kind: 'limit'; readonly resource: string }
  | { readonly effect: 'Deny'; readonly kind: 'session-kind' };

/** Reference to a statement of a policy, as in a decision of the policy engine. */
export interface DecidingStatement {
  readonly policyType: string;
  readonly policyId: string;
  readonly statement: number;
  readonly sid?: string;
  readonly policyArn?: string;
}

/** Marker in place of a context that exceeds `CONTEXT_BYTES_MAX`. */
export interface OmittedContext {
  /** Size of the context in bytes. */
  readonly omittedBytes: number;
}

/** Decision context as stored with a record. */
export type StoredContext = DecisionContext | OmittedContext;

import { AwsError } from '#core/aws-error.ts';
import type { Principal } from '#core/principal.ts';
import type { Decision, Denial, OverLimit } from '#policy/decision.ts';
import { type DenialWording, denialText } from '#policy/engine.ts';

/** Denial by policy, with the decision for the trail. */
export class Denied extends AwsError {
  readonly decision: Decision | OverLimit;
  readonly resources: readonly string[];
  /**
   * Explanation that DecodeAuthorizationMessage returns. Absent if the server did not create one, for example because
   * the request was unsigned or the explanation would take too many steps.
   */
  reasons?: string | undefined;

  constructor(text: string, decision: Decision | OverLimit, resources: readonly string[]) {
    super('AccessDenied', text);
    this.decision = decision;
    this.resources = resources;
  }
}

/** Required action on one resource. */
export interface Attempt {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  /** Name of the resource in the message of a denial. Absent if the message contains the ARN of the resource. */
  readonly called?: string | undefined;
}

/** Denial of a caller without policies. */
export const NO_POLICY: Denial = { effect: 'Deny', kind: 'implicit', missing: 'identity', resource: '*' };

/** Returns the denial for a missing Allow. */
export function implicitDenial(missing: 'trust' | 'resource' | 'identity', resource: string): Denial & { readonly kind: 'implicit' } {
  return { effect: 'Deny', kind: 'implicit', missing, resource };
}

/** Functions that create the denials of a server, with their messages. */
export interface Denials {
  /** Returns a denial whose message states the reason. */
  because(attempt: Attempt, decision: Denial | OverLimit): Denied;
  /**
   * Returns a denial whose message does not state the reason. So the message for an unknown role is the same as for a
   * role that does not trust the caller. `decision` is for the trail. Requirement STS-4.
   */
  withoutReason(attempt: Attempt, decision?: Denial): Denied;
  /**
   * Returns a denial with S3's generic message, for a resource of another account or an unsigned request.
   *
   * Source: Amazon S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors": only requests within one account
   * or organization get a message with the reason.
   */
  generic(attempt: Attempt, decision: Denial): Denied;
}

/** Creates the functions that create denials. `wording` selects the version of AWS's messages. */
export function newDenials(wording: DenialWording): Denials {
  return {
    because({ principal, action, resource, called = resource }, decision) {
      const text = denialText({ principalArn: principal.arn, action, resource: called, decision, wording });
      return new Denied(text, decision, resource === '*' ? [] : [resource]);
    },
    generic: ({ resource }, decision) => new Denied('Access Denied', decision, resource === '*' ? [] : [resource]),
    withoutReason({ principal, action, resource }, decision = implicitDenial('trust', resource)) {
      // If the request is unsigned, AWS's message names neither the caller nor the role.
      if (principal.type === 'Unknown') return new Denied(`Not authorized to perform ${action}`, decision, [resource]);
      return new Denied(`User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`, decision, [resource]);
    },
  };
}

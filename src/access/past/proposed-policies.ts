/** Proposed resource-based policies: those of buckets and of event buses, which are not part of identity. */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import type { DecisionContext, PermissionContext } from '#store/trail/decision-context.ts';
import type { ProposedFacts, ProposedPolicy } from './past-request.ts';

/** A proposed policy of a bucket or event bus. Without a document, it has none. */
export interface ResourcePolicyChange {
  readonly kind: 'resource-policy';
  /** ARN of the bucket or event bus. */
  readonly target: string;
  readonly document: string | undefined;
}

/** Actions that create a bucket or an event bus, which has no policy yet. */
const CREATING: ReadonlySet<string> = new Set(['s3:CreateBucket', 'events:CreateEventBus']);

/**
 * Creates the function that returns the proposed policy of the resources of a permission. The last change of a resource applies. Adds each
 * change that applies to a request to `matched`.
 */
export function proposedPolicies(
  changes: readonly ResourcePolicyChange[],
  matched: { add(change: ResourcePolicyChange): unknown },
): ProposedFacts['resourcePolicyOf'] {
  const byTarget = new Map(changes.map((change) => [change.target, change]));

  return (context, permission): ProposedPolicy | undefined => {
    const [resource] = permission.resources;
    if (byTarget.size === 0 || resource === undefined || permission.resourcePolicy === undefined) return undefined;
    const change = byTarget.get(holderOf(resource) ?? '');
    if (change === undefined || isCreated(context, permission)) return undefined;
    matched.add(change);
    return { text: change.document };
  };
}

/** Reports whether the request creates the resource of a permission. */
function isCreated({ permissions }: DecisionContext, { resources: [resource] }: PermissionContext): boolean {
  return permissions.some(({ action, resources }) => CREATING.has(action) && resources[0] === resource);
}

/**
 * Returns the ARN of the bucket or event bus whose policy decides about a resource.
 *
 * Source: Service Authorization Reference, "Amazon S3" and "Amazon EventBridge": objects are in buckets, and rules on event buses. The names of
 * event buses can contain slashes.
 */
function holderOf(resource: string): string | undefined {
  const parts = parseArn(resource);
  if (parts?.service === 's3') {
    const slash = resource.indexOf('/');
    return slash < 0 ? resource : resource.slice(0, slash);
  }
  if (parts?.service !== 'events' || !parts.resource.startsWith('rule/')) return resource;
  const path = parts.resource.slice('rule/'.length);
  const slash = path.lastIndexOf('/');
  return arn('events', parts.region, parts.accountId as AccountId, `event-bus/${slash < 0 ? 'default' : path.slice(0, slash)}`);
}

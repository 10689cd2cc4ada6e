/** Changes of an organization that other services follow. */
import type { AccountId } from '#core/arn.ts';
import type { DomainEvent } from './events.ts';

/**
 * An account joined, left or was closed, or the organization gave or withdrew the trusted access of a service. Organizations emits it in the
 * transaction of the change.
 */
export interface OrganizationChanged extends DomainEvent {
  readonly type: 'OrganizationChanged';
  readonly managementAccountId: AccountId;
}

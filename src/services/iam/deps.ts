import type { AccountId } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { PolicyLayers } from '#policy/link.ts';
import type { Call } from '../kit/operation.ts';
import type { LinkedRoleUsage } from './service-linked-roles.ts';

/** Account, time and transaction of a call that reads the usage of a service-linked role. */
export type LinkedRoleCall = Pick<Call, 'tx' | 'accountId' | 'now'>;

/** Dependencies of the IAM operations, in addition to the `call` that each operation receives. */
export interface IamDeps {
  readonly vault: Vault;
  /**
   * Returns the resources of an account that still use the service-linked role of a service. If this function is
   * absent, no role is in use.
   */
  readonly linkedRoleUsage?: (call: LinkedRoleCall, service: string) => Promise<readonly LinkedRoleUsage[]>;
  /**
   * Returns the service control policies of an account: one list for each level from the organization's root down to
   * the account. Returns `undefined` if the account has no service control policies.
   */
  readonly serviceControl?: (accountId: AccountId) => PolicyLayers['serviceControl'];
}

import type { AccountId } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { PolicyLayers } from '#policy/link.ts';
import type { Tx } from '#store/store.ts';
import type { LinkedRoleUsage } from './service-linked-roles.ts';

/** Dependencies of the IAM operations, in addition to a call. */
export interface IamDeps {
  readonly vault: Vault;
  /** Returns the resources of an account that still use the service-linked role of a service. If absent, there are none. */
  readonly linkedRoleUsage?: (tx: Tx, accountId: AccountId, service: string) => Promise<readonly LinkedRoleUsage[]>;
  /** Returns the service control policies of an account, one list per level, or `undefined` if the account has none. */
  readonly serviceControl?: (accountId: AccountId) => PolicyLayers['serviceControl'];
}

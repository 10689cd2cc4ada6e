import type { AccountId } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { PolicyLayers } from '#policy/link.ts';
import type { Tx } from '#store/store.ts';
import type { LinkedRoleUsage } from '../service-linked-roles.ts';

/** What the operations of IAM need besides a call. */
export interface IamDeps {
  readonly vault: Vault;
  /** What in an account still needs the service-linked role of a service. Absent: nothing ever does. */
  readonly linkedRoleUsage?: (tx: Tx, accountId: AccountId, service: string) => Promise<readonly LinkedRoleUsage[]>;
  /** The service control policies over an account, one list a level; undefined where none bind it. */
  readonly serviceControl?: (accountId: AccountId) => PolicyLayers['serviceControl'];
}
